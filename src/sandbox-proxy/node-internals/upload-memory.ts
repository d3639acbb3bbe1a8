/** After this many bytes of request bodies, V8 is asked to collect their buffers. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

/** V8's own `gc`, which exists only after `--expose-gc`. */
export type CollectGarbage = (options: { type: 'minor' }) => void;

let collect: CollectGarbage | null = null;
let uncollectedBytes = 0;

/**
 * From now on the buffers of request bodies are collected after every 8 MiB; null: when V8 decides to, as before any call.
 * Only the program that owns the process should call this: garbage collection concerns everything in it.
 */
export function collectUploads(gc: CollectGarbage | null): void {
  collect = gc;
  uncollectedBytes = 0;
}

/**
 * Counts bytes of bodies that clients have sent. Node allocates each piece outside V8's heap, and V8 looks for garbage
 * there only after 32 MiB, so one upload would make the process grow by that much. A collection of the young
 * generation, where all these pieces are, takes half a millisecond.
 */
export function noteUploaded(bytes: number): void {
  if (collect === null) return;
  uncollectedBytes += bytes;
  if (uncollectedBytes < COLLECT_EVERY_BYTES) return;
  uncollectedBytes = 0;
  collect({ type: 'minor' });
}
