import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { IdleClients } from '../node-internals/idle-clients.js';

const BUSY = [
  'HTTP/1.1 503 Service Unavailable',
  'Connection: close',
  'Content-Length: 0',
  'Retry-After: 1',
  'X-Sandbox-Error: proxy;proxy_busy',
  '\r\n',
].join('\r\n');

/**
 * Keeps client connections within their share of the process's descriptors. When there is one too many, the connection that
 * has been idle longest is closed. If none is idle, the new one is refused.
 */
export function boundClientConnections(server: Server, clients: IdleClients, max: number): void {
  server.on('connection', (socket: Socket) => {
    if (clients.size <= max) return;
    const idle = clients.longestIdle(socket);
    if (idle !== null) idle.destroy();
    else socket.end(BUSY, () => socket.destroy());
  });
}
