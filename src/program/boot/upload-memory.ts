import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type CollectGarbage, collectUploads } from '../../sandbox-proxy/index.js';

/** Lets the proxy collect the buffers of uploads by V8's own `gc` (docs/decisions/0006-memory-of-large-bodies.md). */
export function boundUploadMemory(): void {
  setFlagsFromString('--expose-gc');
  collectUploads(runInNewContext('gc') as CollectGarbage);
}
