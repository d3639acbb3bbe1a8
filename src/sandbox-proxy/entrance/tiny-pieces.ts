import type { Socket } from 'node:net';
import { networkOf } from '../admission/stranger-budget.js';
import { CoolDown } from '../agent-client/cool-down.js';
import { noteBodyPieces } from '../node-internals/note-body-pieces.js';
import { stopReading } from '../node-internals/stop-reading.js';

/** The first pieces of a message are free: together they cost no more than its head. */
const FREE_PIECES = 16;
/** Further pieces are judged in lots of this many. */
const LOT = 512;
/** A lot with fewer bytes costs more than it carries: Node spends as much time on a chunk as on 10 KB. */
const DEAR_LOT_BYTES = LOT * 200;
/** What one piece costs in Node and the streams behind it (600 KB in chunks of one byte: 328 ms; Node 20.20, 2026-11). */
const clients = new CoolDown(0.003_3);

const WATCHED = Symbol('watched');

/**
 * Stops reading a client's connection for a while whenever the body of its request comes in tiny chunks, so that all such
 * clients together take a fifth of a core. Each network of clients has a line; all behind one load balancer have
 * the same. It does not matter whom the request is for.
 */
export function slowTinyPieces(socket: Socket & { [WATCHED]?: true }): void {
  if (socket[WATCHED] === true) return;
  socket[WATCHED] = true;
  let pieces = 0;
  let lotBytes = 0;
  let readAgainAtMs = 0;
  let readAgain: (() => void) | null = null;
  let timer: NodeJS.Timeout | undefined;

  const stop = () => clearTimeout(timer);
  const wait = () => {
    if (socket.destroyed) return;
    const leftMs = readAgainAtMs - performance.now();
    if (leftMs > 0) {
      timer = setTimeout(wait, leftMs).unref();
      return;
    }
    socket.off('close', stop);
    readAgain?.();
    readAgain = null;
  };
  noteBodyPieces(socket, (bytes, count) => {
    if (count <= FREE_PIECES) return;
    pieces += 1;
    lotBytes += bytes;
    if (pieces < LOT) return;
    const isDear = lotBytes < DEAR_LOT_BYTES;
    pieces = lotBytes = 0;
    if (!isDear) return;
    const nowMs = performance.now();
    readAgainAtMs = nowMs + clients.waitMs(networkOf(socket.remoteAddress ?? ''), LOT, nowMs);
    if (readAgain !== null) return;
    readAgain = stopReading(socket);
    socket.once('close', stop);
    // The read under way is still being parsed, and may add to the time to wait.
    setImmediate(wait);
  });
}
