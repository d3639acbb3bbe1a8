import type { Socket } from 'node:net';
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
 * clients together take a fifth of a core. It does not matter whom the request is for.
 */
export function slowTinyPieces(socket: Socket & { [WATCHED]?: true }): void {
  if (socket[WATCHED] === true) return;
  socket[WATCHED] = true;
  let pieces = 0;
  let lotBytes = 0;
  let readAgainAtMs = 0;
  let readAgain: (() => void) | null = null;

  const wait = () => {
    const leftMs = readAgainAtMs - performance.now();
    if (leftMs > 0) setTimeout(wait, leftMs).unref();
    else {
      readAgain?.();
      readAgain = null;
    }
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
    readAgainAtMs = nowMs + clients.waitMs(LOT, nowMs);
    if (readAgain !== null) return;
    readAgain = stopReading(socket);
    // The read under way is still being parsed, and may add to the time to wait.
    setImmediate(wait);
  });
}
