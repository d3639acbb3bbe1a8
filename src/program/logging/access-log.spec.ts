import { describe, expect, it } from 'vitest';
import type { AccessRecord } from '../../sandbox-proxy/index.js';
import { ProgramAccessLog } from './access-log.js';
import { createLogger } from './logger.js';

const RECORD: AccessRecord = {
  requestId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  teamId: 'team-0000000000000000000000001',
  sandboxId: 'cl-0000000000000000000000001',
  port: 3000,
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

/** What reaches the destination, write by write, when these requests end at once. */
function writesOf(records: readonly AccessRecord[], level: 'info' | 'warn' = 'info'): string[] {
  const writes: string[] = [];
  const log = new ProgramAccessLog(createLogger(level, { write: (text) => void writes.push(text) }));
  for (const record of records) log.record(record);
  log.onApplicationShutdown();
  return writes;
}

function linesOf(...records: Partial<AccessRecord>[]): Record<string, unknown>[] {
  const text = writesOf(records.map((fields) => ({ ...RECORD, ...fields }))).join('');
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a line of the access log', () => {
  it('tells all of a record, in the format of the other lines', () => {
    const [line] = linesOf({ bytesIn: 3, bytesOut: 5, firstByteMs: 12.345 });
    expect(line).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      requestId: RECORD.requestId,
      teamId: RECORD.teamId,
      sandboxId: RECORD.sandboxId,
      port: 3000,
      method: 'GET',
      upgrade: false,
      status: 200,
      bytesIn: 3,
      bytesOut: 5,
      totalMs: expect.any(Number),
      firstByteMs: 12.35,
      error: null,
      failure: null,
      msg: 'proxied',
    });
  });

  it('says null of what is not known', () => {
    const [line] = linesOf({ teamId: null, sandboxId: null, port: null, firstByteMs: -1 });
    expect(line).toMatchObject({ teamId: null, sandboxId: null, port: null, firstByteMs: null });
  });

  it('names the error, and what failed below it', () => {
    const [both, one] = linesOf(
      { errorCode: 'upstream_unreachable', failure: 'ECONNREFUSED' },
      { errorCode: 'client_closed' },
    );
    expect(both).toMatchObject({ error: 'upstream_unreachable', failure: 'ECONNREFUSED' });
    expect(one).toMatchObject({ error: 'client_closed', failure: null });
  });

  it('is of this request, whoever asked for the same sandbox, or for another one, before', () => {
    const subjects = [
      { teamId: 'team-a', sandboxId: 'cl-a', port: 80 },
      { teamId: 'team-a', sandboxId: 'cl-a', port: 81 },
      { teamId: 'team-b', sandboxId: 'cl-a', port: 81 },
      { teamId: null, sandboxId: 'cl-a', port: 81 },
      { teamId: null, sandboxId: 'cl-b', port: 81 },
      { teamId: null, sandboxId: null, port: null },
      { teamId: 'team-a', sandboxId: 'cl-a', port: 80 },
    ];
    const told = linesOf(...subjects).map(({ teamId, sandboxId, port }) => ({ teamId, sandboxId, port }));
    expect(told).toEqual(subjects);
  });

  it('is right for more sandboxes than are remembered', () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `cl-${index}`);
    const told = linesOf(...[...ids, ...ids].map((sandboxId) => ({ sandboxId })));
    expect(told.map(({ sandboxId }) => sandboxId)).toEqual([...ids, ...ids]);
  });

  it('is not written where only warnings are', () => {
    expect(writesOf([RECORD], 'warn')).toEqual([]);
  });
});

describe('the batches of the access log', () => {
  it('hold whole lines, 64 KiB at most', () => {
    const writes = writesOf(Array.from({ length: 1_000 }, () => RECORD));
    expect(writes.join('').trim().split('\n')).toHaveLength(1_000);
    expect(writes.length).toBeLessThan(10);
    for (const text of writes) {
      expect(text.length).toBeLessThanOrEqual(65_536);
      expect(text.endsWith('\n')).toBe(true);
    }
  });
});
