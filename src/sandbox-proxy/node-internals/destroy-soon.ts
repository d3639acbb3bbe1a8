import type { Socket } from 'node:net';

/** Replaces what Node does with a connection after its last answer: by itself Node ends it and does not read on. */
export function closeInstead(socket: Socket, close: (socket: Socket) => void): void {
  socket.destroySoon = () => close(socket);
}
