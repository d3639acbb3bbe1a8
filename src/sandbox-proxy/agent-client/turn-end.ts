/** Something with bytes to write at the end of this turn of the event loop. */
export interface Pending {
  /** Writes them, unless it has been closed meanwhile. */
  flush(): void;
}

let pending: Pending[] = [];

/**
 * Writes the small heads and answers of one turn of the event loop right after one another, when everything that could be
 * read in this turn has been. A write wakes up whoever reads at the other end, which is most of what a small write costs;
 * writes that are spaced out wake it each time (small GET, 32 connections: 31.2 -> 27.6 µs per request; Node 20.20,
 * 2026-11). With a single request under way nothing waits: the turn ends with it.
 */
export function flushAtTurnEnd(writer: Pending): void {
  if (pending.push(writer) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const writers = pending;
  pending = [];
  for (const writer of writers) writer.flush();
}
