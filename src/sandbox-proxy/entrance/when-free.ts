import type { Socket } from 'node:net';
import { responseOn } from '../node-internals/response-on-socket.js';

/**
 * Calls `proceed` once no earlier request's answer is under way on the connection: a client may pipeline an
 * upgrade behind a request, and Node hands over the socket at once, without a listener on it: the caller has
 * taken over its errors and its end by then. Where the client leaves, `proceed` is never called.
 */
export function whenFree(socket: Socket, proceed: () => void): void {
  const earlier = responseOn(socket);
  if (earlier === null) {
    proceed();
    return;
  }
  // With the upgrade Node has stopped telling the earlier response that it may write on.
  const onDrain = () => earlier.emit('drain');
  socket.on('drain', onDrain);
  earlier.once('close', () => {
    socket.off('drain', onDrain);
    if (!socket.destroyed) whenFree(socket, proceed);
  });
}
