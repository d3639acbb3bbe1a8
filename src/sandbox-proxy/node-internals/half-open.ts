import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const WATCHED = Symbol('watched');

type HalfOpenServer = Server & { httpAllowHalfOpen: boolean };

/**
 * Lets a client end its side of this connection and still get its answers; then the connection is closed. Node's
 * `httpAllowHalfOpen` does that for all connections of a server. Here it is for one connection, and only if `isWanted` is
 * true when the client ends its side. Otherwise Node ends the whole connection then, and the answer is lost.
 *
 * @param isWanted asked when the client has ended its side
 */
export function allowHalfOpen(
  server: Server,
  socket: Socket & { [WATCHED]?: true },
  isWanted: (socket: Socket) => boolean,
): void {
  if (socket[WATCHED] === true) return;
  socket[WATCHED] = true;
  const halfOpen = server as HalfOpenServer;
  let wasAllowed = false;
  // One listener before Node's own, which reads the server's setting, and one after it.
  socket.prependListener('end', () => {
    wasAllowed = halfOpen.httpAllowHalfOpen;
    halfOpen.httpAllowHalfOpen = wasAllowed || isWanted(socket);
  });
  socket.on('end', () => {
    halfOpen.httpAllowHalfOpen = wasAllowed;
  });
}
