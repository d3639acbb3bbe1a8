import cluster from 'node:cluster';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../program/logging/logger.js';
import { AccessLog, type AccessLogEntry } from './access-log.js';

const ENTRY: AccessLogEntry = {
  requestId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  teamId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  address: null,
  method: 'GET',
  isUpgrade: false,
  startedAtMs: 0,
  firstByteMs: 1,
  status: 200,
  errorCode: null,
  failure: null,
  bytesIn: 0,
  bytesOut: 0,
};

/** What reaches the destination, write by write, when `count` requests end at once. */
function writesOf(count: number): string[] {
  const writes: string[] = [];
  const log = new AccessLog(createLogger('info', { write: (text) => void writes.push(text) }));
  for (let index = 0; index < count; index++) log.record(ENTRY);
  log.onApplicationShutdown();
  return writes;
}

describe('the batches of the access log', () => {
  it('hold whole lines, 64 KiB at most', () => {
    const writes = writesOf(1_000);
    expect(writes.join('').trim().split('\n')).toHaveLength(1_000);
    expect(writes.length).toBeLessThan(10);
    for (const text of writes) {
      expect(text.length).toBeLessThanOrEqual(65_536);
      expect(text.endsWith('\n')).toBe(true);
    }
  });

  // Two workers that write 64 KiB at once into a pipe that is read slowly tear each other's lines: 39 of 8,425.
  it('are, in a worker, what a pipe takes in one piece', () => {
    Object.assign(cluster, { isWorker: true });
    try {
      const writes = writesOf(1_000);
      expect(writes.join('').trim().split('\n')).toHaveLength(1_000);
      for (const text of writes) {
        expect(text.length).toBeLessThanOrEqual(4_096);
        expect(text.endsWith('\n')).toBe(true);
      }
    } finally {
      Object.assign(cluster, { isWorker: false });
    }
  });
});
