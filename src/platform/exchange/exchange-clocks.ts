import type { NextFunction, Request, Response } from 'express';
import { ERROR_STATUS } from '../errors/error-status.js';
import { RequestTimeoutError } from '../errors/request.errors.js';
import { errorBody } from '../errors/error-body.js';

export interface ExchangeClocks {
  /** How long a request's body may take to arrive, milliseconds. */
  readonly bodyMs: number;
  /** How long the whole exchange may take until the client has the answer, milliseconds. */
  readonly exchangeMs: number;
}

/** Bodies have at most 100 kB, and pages about 1 MB: no client that means well is slower than this. */
export const EXCHANGE_CLOCKS: ExchangeClocks = { bodyMs: 20_000, exchangeMs: 60_000 };

/**
 * Express middleware, to be used before any that reads bodies. A body that does not arrive in time is answered 408; a
 * client that does not read its answer in time is cut off. Node's own timeouts do not help here: they are for the whole
 * server, where proxied requests may take any time.
 */
export function exchangeClocks(clocks: ExchangeClocks = EXCHANGE_CLOCKS) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const body = setTimeout(() => {
      if (!request.complete) refuse(request, response);
    }, clocks.bodyMs).unref();
    const exchange = setTimeout(() => request.socket.destroy(), clocks.exchangeMs).unref();
    response.once('close', () => {
      clearTimeout(exchange);
      // the body's timer stays if the body is still on its way after the answer
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
