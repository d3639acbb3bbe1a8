import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { allowHalfOpen } from '../node-internals/half-open.js';
import { underWayOn } from './pipeline.js';

/** How long a client that has ended its side is assumed to be there still, without a byte of an answer, ms. */
const NEXT_BYTE_MS = 5_000;

/**
 * A client that ends its side of the connection after its request still gets its answer. But a client that has gone
 * looks the same. So a byte of its answers has to come every 5 s; otherwise its requests are given up.
 */
export function answerHalfClosed(server: Server, socket: Socket): void {
  allowHalfOpen(server, socket, isAnswerAwaited);
}

function isAnswerAwaited(socket: Socket): boolean {
  if (underWayOn(socket) === 0) return false;
  let { bytesWritten } = socket;
  const timer = setInterval(() => {
    // An answer that waits for a slow client has its own timeout.
    if (socket.bytesWritten === bytesWritten && socket.writableLength === 0) socket.destroy();
    else ({ bytesWritten } = socket);
  }, NEXT_BYTE_MS).unref();
  socket.once('close', () => clearInterval(timer));
  return true;
}
