import type { Socket } from 'node:net';
import { responseOn } from '../node-internals/response-on-socket.js';

/**
 * Calls `proceed` once no answer to an earlier request is under way on the connection: a client may pipeline an upgrade
 * after a request, and Node hands over the socket at once, without listeners. The caller must already listen for its
 * errors and its end. If the client leaves, `proceed` is never called.
 */
export function whenFree(socket: Socket, proceed: () => void): void {
  const earlier = responseOn(socket);
  if (earlier === null) {
    proceed();
    return;
  }
  // Because of the upgrade Node no longer tells the earlier response that it may go on writing.
  const onDrain = () => earlier.emit('drain');
  socket.on('drain', onDrain);
  earlier.once('close', () => {
    socket.off('drain', onDrain);
    if (!socket.destroyed) whenFree(socket, proceed);
  });
}
