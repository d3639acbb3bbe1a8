import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** What a caller may choose as its own request id: nothing that could forge a line of a log. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** Express middleware: every answer carries `X-Request-Id`, the caller's where it sent one. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  response.setHeader(
    'X-Request-Id',
    typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID(),
  );
  next();
}
