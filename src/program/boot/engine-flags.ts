import { setFlagsFromString } from 'node:v8';

/**
 * What V8 goes by when it optimizes (docs/decisions/0009-engine-flags.md). The first import of `main.ts`: what has been
 * compiled before does not change. Arrays of Node's own that live for one request are otherwise taken for long-lived,
 * and pile up in the old generation.
 */
const FLAG = '--no-allocation-site-pretenuring';

/** The V8 of Node 20, on which it was measured; the next one may do better by itself, or not know it. */
const MEASURED_ON = '11.3.';

if (process.versions.v8.startsWith(MEASURED_ON)) setFlagsFromString(FLAG);
