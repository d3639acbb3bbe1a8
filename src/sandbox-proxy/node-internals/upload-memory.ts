/** After this many bytes of request bodies their buffers are collected. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

/** V8's own `gc`, which exists after `--expose-gc` only. */
export type CollectGarbage = (options: { type: 'minor' }) => void;

let collect: CollectGarbage | null = null;
let uncollectedBytes = 0;

/**
 * From now on the buffers of request bodies are collected after every 8 MiB; null: when V8 thinks fit, as without a
 * call. For the program whose process it is: a module has no business with other people's garbage.
 */
export function collectUploads(gc: CollectGarbage | null): void {
  collect = gc;
  uncollectedBytes = 0;
}

/**
 * Counts body bytes that a client has sent. Node allocates each piece anew outside V8's heap, and V8 looks for
 * garbage there only after 32 MiB; one upload would make the process grow by that much. A collection of the
 * young generation, which is where they all are, costs half a millisecond.
 */
export function noteUploaded(bytes: number): void {
  if (collect === null) return;
  uncollectedBytes += bytes;
  if (uncollectedBytes < COLLECT_EVERY_BYTES) return;
  uncollectedBytes = 0;
  collect({ type: 'minor' });
}
