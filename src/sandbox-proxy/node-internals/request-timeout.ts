import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const LIFTED = Symbol('lifted');

/** The request on the connection whose time has been lifted last. */
type Connection = Socket & { [LIFTED]?: IncomingMessage };

/**
 * A request whose head has come in may take any time to come in whole, whatever the server's `requestTimeout`; the next
 * one on its connection has that clock again. Works where `outlasts` is asked about client errors. (The parser's own
 * `remove()`, which takes a connection off the list of those that are timed, makes Node 24 lose what comes after it.)
 */
export function liftRequestTimeout(request: IncomingMessage): void {
  (request.socket as Connection)[LIFTED] = request;
}

/**
 * Whether the error is the end of a time that has been lifted, so that nothing is to be done about it: neither by a
 * listener for 'clientError', nor by Node, which acts only where nobody has taken that event. Node tells of it once.
 */
export function outlasts(error: Error & { code?: string }, socket: Socket): boolean {
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && (socket as Connection)[LIFTED]?.complete === false;
}
