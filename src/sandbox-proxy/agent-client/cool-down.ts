/** More body pieces than this in one read of an agent's bytes is not how anybody sends a body in earnest. */
const MANY_PIECES = 512;
/** What reading one piece costs, milliseconds (Node 20.20, 2026-11), and how much of a core all such reading may have. */
const MS_PER_PIECE = 0.000_15;
const SHARE = 0.2;

let freeAtMs = 0;

/**
 * How long a connection has to be left alone after a read that brought so many body pieces, milliseconds; 0 for an
 * ordinary one. An app that chunks its body byte by byte makes a read twenty times as dear; all such connections of
 * the process wait in one line, so that together they take a fifth of a core and nobody else is slowed by them.
 */
export function coolDownMs(pieces: number, nowMs: number): number {
  if (pieces <= MANY_PIECES) return 0;
  freeAtMs = Math.max(freeAtMs, nowMs) + (pieces * MS_PER_PIECE) / SHARE;
  return freeAtMs - nowMs;
}
