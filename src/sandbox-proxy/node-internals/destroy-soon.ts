import type { Socket } from 'node:net';

/** In the place of what Node does with a connection after its last answer, which is to end it and not to read on. */
export function closeInstead(socket: Socket, close: (socket: Socket) => void): void {
  socket.destroySoon = () => close(socket);
}
