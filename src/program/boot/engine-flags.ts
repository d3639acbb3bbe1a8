import { setFlagsFromString } from 'node:v8';

/**
 * Sets a flag of V8 (docs/decisions/0009-engine-flags.md). It must be the first import of `main.ts`, because the flag
 * does not affect code that is already compiled. Without it, V8 takes arrays of Node that live for one request for
 * long-lived ones, and they pile up in the old generation.
 */
const FLAG = '--no-allocation-site-pretenuring';

/** From this major version of Node on, that does not happen. */
const NOT_NEEDED_SINCE = 24;

if (Number.parseInt(process.versions.node, 10) < NOT_NEEDED_SINCE) setFlagsFromString(FLAG);
