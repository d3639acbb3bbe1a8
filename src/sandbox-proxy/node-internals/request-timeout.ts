import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const LIFTED = Symbol('lifted');

/** The last request on the connection whose timeout was lifted. */
type Connection = Socket & { [LIFTED]?: IncomingMessage };

/**
 * Lets the body of this request take any time to arrive, whatever the server's `requestTimeout`. The next request on the
 * connection has that timeout again. This works only if `outlasts` is asked about client errors. (The parser's own
 * `remove()`, which takes a connection off the list of those with a timeout, makes Node 24 lose what comes after it.)
 */
export function liftRequestTimeout(request: IncomingMessage): void {
  (request.socket as Connection)[LIFTED] = request;
}

/**
 * True for the error of a timeout that was lifted: then nothing is to be done, neither by a listener for 'clientError'
 * nor by Node, which acts only if nobody has taken that event. Node reports it once.
 */
export function outlasts(error: Error & { code?: string }, socket: Socket): boolean {
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && (socket as Connection)[LIFTED]?.complete === false;
}
