import type { Server } from 'node:http';

/**
 * Sets how large the head of a request may be, bytes; a larger one is answered 431. Node has this only as an option of
 * `createServer` (16 KiB by default), but reads it for each new connection.
 */
export function setMaxHeaderSize(server: Server, bytes: number): void {
  Object.assign(server, { maxHeaderSize: bytes });
}
