import type { Server } from 'node:http';
import type { Socket } from 'node:net';

const WATCHED = Symbol('watched');

type HalfOpenServer = Server & { httpAllowHalfOpen: boolean };

/**
 * Lets a client end its side and still get its answers, after which the connection is closed: what the server's own
 * `httpAllowHalfOpen` does for all its connections, for one, and at the time of the client's end only where `isWanted` says
 * so. Without it Node ends the connection with the client's side, and the answer is lost.
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
  // Around Node's own listener, which reads the server's setting.
  socket.prependListener('end', () => {
    wasAllowed = halfOpen.httpAllowHalfOpen;
    halfOpen.httpAllowHalfOpen = wasAllowed || isWanted(socket);
  });
  socket.on('end', () => {
    halfOpen.httpAllowHalfOpen = wasAllowed;
  });
}
