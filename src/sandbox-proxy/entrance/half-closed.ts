import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { allowHalfOpen } from '../node-internals/half-open.js';
import { responseOn } from '../node-internals/response-on-socket.js';
import { underWayOn } from './pipeline.js';

/** How long a client that has ended its side is believed to be there still, without the first byte of an answer, ms. */
const FIRST_BYTE_MS = 5_000;

/**
 * A client that ends its side of the connection after its request gets its answer. A client that has gone looks the same:
 * so the answer has to begin within 5 s, and the request is given up otherwise.
 */
export function answerHalfClosed(server: Server, socket: Socket): void {
  allowHalfOpen(server, socket, isAnswerAwaited);
}

function isAnswerAwaited(socket: Socket): boolean {
  if (underWayOn(socket) === 0) return false;
  expectAnswer(socket);
  return true;
}

function expectAnswer(socket: Socket): void {
  const response = responseOn(socket);
  const timer = setTimeout(() => {
    if (socket.destroyed) return;
    if (response !== null && responseOn(socket) === response && !response.headersSent) socket.destroy();
    else expectAnswer(socket);
  }, FIRST_BYTE_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}
