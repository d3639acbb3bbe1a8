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

/** CONNECT asks for a proxy of another kind: refused, whatever it names, and the connection closed. */
export function refuseConnect(socket: Socket, head: Buffer): void {
  const request = new UpgradeRequest('', socket, head);
  whenFree(socket, () => {
    request.drop();
    socket.write(REFUSAL);
    closeGently(socket);
  });
}
