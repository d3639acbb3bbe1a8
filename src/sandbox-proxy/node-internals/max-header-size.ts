import type { Server } from 'node:http';

/**
 * How large the head of a request may be, bytes; a larger one is answered 431. Node takes it as an option of
 * `createServer` alone (16 KiB by default) and reads it for each new connection.
 */
export function setMaxHeaderSize(server: Server, bytes: number): void {
  Object.assign(server, { maxHeaderSize: bytes });
}
