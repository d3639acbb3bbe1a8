import type { NextFunction, Request, Response } from 'express';
import { ERROR_STATUS } from '../errors/error-status.js';
import { RequestTimeoutError } from '../errors/request.errors.js';
import { errorBody } from '../errors/error-body.js';

export interface ExchangeClocks {
  /** How long a request's body may take to arrive, milliseconds. */
  readonly bodyMs: number;
  /** How long all may take until the client has the answer, milliseconds. */
  readonly exchangeMs: number;
}

/** Bodies are of 100 kB at most, and pages of answers of about 1 MB: a client slower than this wants none of it. */
export const EXCHANGE_CLOCKS: ExchangeClocks = { bodyMs: 20_000, exchangeMs: 60_000 };

/**
 * Express middleware, before any that reads bodies: what a client does not send is answered 408, and what it does not
 * read is cut. Node's own clocks are the server's, and proxied requests on the same server may take as long as they like.
 */
export function exchangeClocks(clocks: ExchangeClocks = EXCHANGE_CLOCKS) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const body = setTimeout(() => {
      if (!request.complete) refuse(request, response);
    }, clocks.bodyMs).unref();
    const exchange = setTimeout(() => request.socket.destroy(), clocks.exchangeMs).unref();
    response.once('close', () => {
      clearTimeout(exchange);
      // a body that is still on its way after the answer keeps its clock
      if (request.complete) clearTimeout(body);
    });
    next();
  };
}

function refuse(request: Request, response: Response): void {
  if (response.headersSent || response.destroyed) {
    request.socket.destroy();
    return;
  }
  const error = new RequestTimeoutError();
  response.setHeader('Connection', 'close');
  response.status(ERROR_STATUS[error.code]).json(errorBody(error, response));
}
