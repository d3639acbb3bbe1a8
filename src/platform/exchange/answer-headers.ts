import type { NextFunction, Request, Response } from 'express';

/** Express middleware: no answer is kept or read as another type; answers of the API hold keys. */
export function answerHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  next();
}
