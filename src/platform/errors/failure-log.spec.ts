import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { FailureLog } from './failure-log.js';
import { InternalError } from './request.errors.js';

describe('FailureLog', () => {
  let now: number;
  let lines: Record<string, unknown>[];
  let log: FailureLog;

  beforeEach(() => {
    now = 1_000;
    lines = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    log = new FailureLog(pino({}, { write }), () => now);
  });

  // 18 s of made-up keys left 25 MB of lines, a stack trace each
  it('writes one line a second for each code, and how many it left out', () => {
    const failure = new DirectoryUnavailableError(new Error('timeout'));
    for (let ms = 0; ms < 2_500; ms += 1) {
      now = 1_000 + ms;
      log.write(`r${ms}`, failure);
    }
    log.write('x', new InternalError(new TypeError('defect')));
    expect(lines.map(({ requestId, code, suppressed }) => [requestId, code, suppressed])).toEqual([
      ['r0', 'directory_unavailable', 0],
      ['r1000', 'directory_unavailable', 999],
      ['r2000', 'directory_unavailable', 999],
      ['x', 'internal_error', 0],
    ]);
  });

  it('shows the stack of a defect, and of what is expected to happen only the reason', () => {
    log.write('a', new DirectoryUnavailableError(new AggregateError([new Error('ECONNREFUSED 10.0.0.1')])));
    log.write('b', new InternalError(new TypeError('defect')));
    expect(JSON.stringify(lines[0])).not.toContain('failure-log.spec');
    expect(lines[0]).toMatchObject({ reason: 'ECONNREFUSED 10.0.0.1' });
    expect(lines[1]).toMatchObject({ err: { stack: expect.stringContaining('failure-log.spec') } });
  });
});
