import type { NextFunction, Request, Response } from 'express';

/** Express middleware: forbids caches and type sniffing for every answer, since answers of the API may hold keys. */
export function answerHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  next();
}
