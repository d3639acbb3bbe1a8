import type { ServerResponse } from 'node:http';

/**
 * The exchange of this response may be silent for any time, whatever the server's `timeout` and the `setTimeout` of its
 * sockets: while its response has the connection there is no such clock, and when it is over the clock is back for the
 * next request, as Node or the application had set it. To be called when the request is emitted.
 */
export function liftIdleTimeout(response: ServerResponse): void {
  if (response.socket === null) response.once('socket', () => lift(response));
  else lift(response);
}

function lift(response: ServerResponse): void {
  const { socket } = response;
  const ms = socket?.timeout ?? 0;
  if (socket === null || ms === 0) return;
  socket.setTimeout(0);
  // Ahead of Node's own listener, which sets the keep-alive time or gives the connection to the next response.
  response.prependOnceListener('finish', () => socket.setTimeout(ms));
}
