import type { Socket } from 'node:net';
import { closeGently } from '../answers/answer.js';
import { UpgradeRequest } from '../exchange/upgrade-request.js';
import { whenFree } from './when-free.js';

const REFUSAL = [
  'HTTP/1.1 400 Bad Request',
  'Connection: close',
  'Content-Length: 0',
  'X-Sandbox-Error: proxy;invalid_request',
  '\r\n',
].join('\r\n');

/** Refuses CONNECT, which is for another kind of proxy, whatever it names, and closes the connection. */
export function refuseConnect(socket: Socket, head: Buffer): void {
  const request = new UpgradeRequest('', socket, head);
  whenFree(socket, () => {
    request.drop();
    socket.write(REFUSAL);
    closeGently(socket);
  });
}
