import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { allowHalfOpen } from '../node-internals/half-open.js';
import { underWayOn } from './pipeline.js';

/** How long a client that has ended its side is believed to be there still, without a byte of an answer, ms. */
const NEXT_BYTE_MS = 5_000;

/**
 * A client that ends its side of the connection after its request gets its answer. A client that has gone looks the same:
 * so its answers have to begin within 5 s and go on every 5 s, and its requests are given up otherwise.
 */
export function answerHalfClosed(server: Server, socket: Socket): void {
  allowHalfOpen(server, socket, isAnswerAwaited);
}

function isAnswerAwaited(socket: Socket): boolean {
  if (underWayOn(socket) === 0) return false;
  let { bytesWritten } = socket;
  const timer = setInterval(() => {
    // What waits for a slow client has a clock of its own.
    if (socket.bytesWritten === bytesWritten && socket.writableLength === 0) socket.destroy();
    else ({ bytesWritten } = socket);
  }, NEXT_BYTE_MS).unref();
  socket.once('close', () => clearInterval(timer));
  return true;
}
