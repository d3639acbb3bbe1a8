import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Calls `proceed` once no earlier request's answer is under way on the connection: a client may pipeline an
 * upgrade behind a request, and Node hands over the socket at once, without a listener on it: the caller has
 * taken over its errors and its end by then. Where the client leaves, `proceed` is never called.
 */
export function whenFree(socket: Socket, proceed: () => void): void {
  // Node's own note of the response that has the socket: there is no public way to ask.
  const { _httpMessage: earlier } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (earlier === null || earlier === undefined) proceed();
  else earlier.once('close', () => socket.destroyed || whenFree(socket, proceed));
}
