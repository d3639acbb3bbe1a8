import { setFlagsFromString } from 'node:v8';

/**
 * What V8 goes by when it optimizes (docs/decisions/0009-engine-flags.md). The first import of `main.ts`: what has been
 * compiled before does not change. Arrays of Node's own that live for one request are otherwise taken for long-lived,
 * and pile up in the old generation.
 */
const FLAG = '--no-allocation-site-pretenuring';

/** From this version of Node on it does not happen. */
const NOT_NEEDED_SINCE = 24;

if (Number.parseInt(process.versions.node, 10) < NOT_NEEDED_SINCE) setFlagsFromString(FLAG);
