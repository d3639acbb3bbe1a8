import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Closes a connection so that its peer sees a failure and not a clean end: by RST, or with TLS without a close_notify. */
export function reset(socket: Socket): void {
  if (socket.destroyed || socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
