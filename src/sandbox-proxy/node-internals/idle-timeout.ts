import type { ServerResponse } from 'node:http';

/**
 * Lets the exchange of this response be silent for any time, whatever the server's `timeout` and the `setTimeout` of its
 * sockets. While the response has the connection, there is no such timer; after it, the timer is set again as Node or the
 * application had set it. To be called when the request is emitted.
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
  // Before Node's own listener, which sets the keep-alive timer or gives the connection to the next response.
  response.prependOnceListener('finish', () => socket.setTimeout(ms));
}
