import type { AccessLog, AccessRecord } from '../contracts/access-log.js';

/** Tells the log, whose failing is nobody's but its own. */
export function recordIn(log: AccessLog, record: AccessRecord): void {
  try {
    const told: unknown = log.record(record);
    if (told instanceof Promise) told.catch(() => undefined);
  } catch {
    // The contract says so: what it throws is lost.
  }
}
