import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** After this many bytes of request bodies their buffers are collected. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
let uncollectedBytes = 0;

/**
 * Counts body bytes that a client has sent. Node allocates each piece anew outside V8's heap, and V8 looks for
 * garbage there only after 32 MiB; one upload would make the process grow by that much. A collection of the
 * young generation, which is where they all are, costs half a millisecond.
 */
export function noteUploaded(bytes: number): void {
  uncollectedBytes += bytes;
  if (uncollectedBytes < COLLECT_EVERY_BYTES) return;
  uncollectedBytes = 0;
  collect({ type: 'minor' });
}
