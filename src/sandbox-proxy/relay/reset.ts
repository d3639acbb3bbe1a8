import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Closes a connection so that its peer sees a failure and not an end: by RST, or without TLS's close_notify. */
export function reset(socket: Socket): void {
  if (socket.destroyed || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
