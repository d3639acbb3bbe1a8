import type { Socket } from 'node:net';
import { closeGently } from '../answers/answer.js';
import { rawAnswer } from '../answers/raw-answer.js';
import { UpgradeRequest } from '../exchange/upgrade-request.js';
import { whenFree } from './when-free.js';

/** Refuses CONNECT, which is for another kind of proxy, whatever it names, and closes the connection. */
export function refuseConnect(socket: Socket, head: Buffer): void {
  const request = new UpgradeRequest('', socket, head);
  whenFree(socket, () => {
    request.drop();
    socket.write(rawAnswer('invalid_request', 'this server is no proxy for CONNECT'));
    closeGently(socket);
  });
}
