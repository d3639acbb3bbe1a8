/**
 * The most that one read from an agent brings. Larger reads are cheaper per byte (1 MiB bodies, CPU per MiB: 864 µs with
 * 64 KiB, 575 with 128, 515 with 256; Node 20.20, 2026-11), but a slow client can make us hold this much.
 */
export const READ_BYTES = 131_072;
/** Most copies kept for later use. More are needed at a time only while clients read slowly. */
const MAX_FREE = 64;

/** Every read of every plain connection goes here: each is dealt with completely before the next one starts. */
export const READ_BUFFER = Buffer.allocUnsafeSlow(READ_BYTES);

const free: ArrayBuffer[] = [];

/**
 * A copy of `view` in memory that is used again. A large body then passes through a few warm pages, and not through a new
 * allocation per read that the garbage collector frees late (200 MiB: 0.4 MiB of RSS growth instead of 31). Hand the copy
 * to `giveBack` once it is written; a copy that is never given back is collected like any other.
 */
export function borrowCopy(view: Buffer): Buffer {
  if (view.length > READ_BYTES) return Buffer.from(view);
  const copy = borrowEmpty().subarray(0, view.length);
  view.copy(copy);
  return copy;
}

/** A buffer of `READ_BYTES` to be filled; what it holds is undefined. */
export function borrowEmpty(): Buffer {
  return Buffer.from(free.pop() ?? new ArrayBuffer(READ_BYTES));
}

/** Takes back what was borrowed. Any other buffer is left to the garbage collector. */
export function giveBack({ buffer }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === READ_BYTES && free.length < MAX_FREE)
    free.push(buffer);
}
