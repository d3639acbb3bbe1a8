import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';

/** The form of request ids that callers may choose: nothing that could forge a log line. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;

/** Express middleware: every answer has an `X-Request-Id`, the caller's own if it sent one. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  response.setHeader(
    'X-Request-Id',
    typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID(),
  );
  next();
}
