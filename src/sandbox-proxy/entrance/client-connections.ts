import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { rawAnswer } from '../answers/raw-answer.js';
import { ProxyBusyError } from '../errors.js';
import type { IdleClients } from '../node-internals/idle-clients.js';

/**
 * Keeps client connections within their share of the process's descriptors. When there is one too many, the connection that
 * has been idle longest is closed. If none is idle, the new one is refused.
 */
export function boundClientConnections(server: Server, clients: IdleClients, max: number): void {
  server.on('connection', (socket: Socket) => {
    if (clients.size <= max) return;
    const idle = clients.longestIdle(socket);
    if (idle !== null) return void idle.destroy();
    const { code, message } = new ProxyBusyError();
    socket.end(rawAnswer(code, message), () => socket.destroy());
  });
}
