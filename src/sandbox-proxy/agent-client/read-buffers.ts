/**
 * The most that one read from an agent brings. Larger reads are cheaper per byte (1 MiB bodies, CPU per MiB: 864 µs
 * with 64 KiB, 575 with 128, 515 with 256; Node 20.20, 2026-11), and this much a slow client can make us hold.
 */
export const READ_BYTES = 131_072;
/** Copies kept for the next response; more are in use at a time only under backpressure. */
const MAX_FREE = 64;

/** Every read of every plain connection lands here: it is handled to its end before the next one starts. */
export const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES);

const free: ArrayBuffer[] = [];

/**
 * A copy of `view` in memory that is used again: a large body passes through a few warm pages, and not through a new
 * allocation per read that the garbage collector gives back late (200 MiB: 0.4 MiB of RSS growth instead of 31).
 * `giveBack` takes it once it has been written; a copy that never comes back is collected as any other.
 */
export function borrowCopy(view: Buffer): Buffer {
  if (view.length > READ_BYTES) return Buffer.from(view);
  const copy = borrowEmpty().subarray(0, view.length);
  view.copy(copy);
  return copy;
}

/** The same, empty: `READ_BYTES` of whatever. */
export function borrowEmpty(): Buffer {
  return Buffer.from(free.pop() ?? new ArrayBuffer(READ_BYTES));
}

/** Takes back what was borrowed; any other buffer is left to the garbage collector. */
export function giveBack({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === READ_BYTES && free.length < MAX_FREE)
    free.push(buffer);
}
