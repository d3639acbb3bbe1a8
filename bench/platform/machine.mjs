import { cpus, loadavg, release, totalmem } from 'node:os';
import { HTTP_GENERATOR } from '../load/http-load.mjs';
import { CORES } from './processes.mjs';

/** What a reader needs to judge the figures by. */
export function describeMachine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    generator: HTTP_GENERATOR,
    pinning: CORES,
    // Of one minute, before the bench adds its own: above a tenth of a core something else was running.
    loadBefore: loadavg()[0],
  };
}
