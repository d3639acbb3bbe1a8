import { setFlagsFromString } from 'node:v8';

/**
 * What V8 goes by when it optimizes (docs/decisions/0009-engine-flags.md). The first import of `main.ts`: what has been
 * compiled before does not change.
 */
const FLAGS = [
  // Arrays of Node's own that live for one request are otherwise taken for long-lived, and pile up in the old generation.
  '--no-allocation-site-pretenuring',
  // A request passes through many small functions, Node's and ours: more of them become one.
  '--max-inlined-bytecode-size=1500',
  '--max-inlined-bytecode-size-cumulative=4000',
  '--max-optimized-bytecode-size=200000',
];

/** The V8 of Node 20, on which they were measured; the next one may do better by itself, or not know them. */
const MEASURED_ON = '11.3.';

if (process.versions.v8.startsWith(MEASURED_ON)) for (const flag of FLAGS) setFlagsFromString(flag);
