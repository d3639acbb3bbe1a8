import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

function logging(): { lines: string[]; write: (line: string) => void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe('the log', () => {
  it.each(['authorization', 'x-api-key', 'cookie', 'set-cookie'])('never holds the header %s', (name) => {
    const destination = logging();
    const logger = createLogger('info', destination);
    const headers = { [name]: 'hunter2' };
    for (const fields of [headers, { headers }, { req: { headers } }, { res: { headers } }])
      logger.info(fields, 'x');
    expect(destination.lines).toHaveLength(4);
    expect(destination.lines.join('')).not.toContain('hunter2');
    expect(destination.lines.join('')).toContain('[redacted]');
  });

  it('is one line per event, whatever a client sent', () => {
    const destination = logging();
    createLogger('info', destination).info({ path: '/a\n{"level":60}' }, 'x\r\ny');
    expect(destination.lines.join('').match(/\n/g)).toHaveLength(1);
  });

  it("takes Nest's messages with their context, stack and level", () => {
    const destination = logging();
    const nest = new NestLogger(createLogger('trace', destination));
    nest.log('mapped', 'Router');
    nest.error('broken', 'Error: broken\n  at x', 'Exceptions');
    nest.fatal(new Error('dead'));
    nest.debug({ a: 1 });
    nest.warn('w');
    nest.verbose('v');
    expect(destination.lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ level: 30, context: 'Router', msg: 'mapped' }),
      expect.objectContaining({
        level: 50,
        context: 'Exceptions',
        stack: 'Error: broken\n  at x',
        msg: 'broken',
      }),
      expect.objectContaining({ level: 60, err: expect.objectContaining({ message: 'dead' }), msg: 'dead' }),
      expect.objectContaining({ level: 20, msg: '{"a":1}' }),
      expect.objectContaining({ level: 40, msg: 'w' }),
      expect.objectContaining({ level: 10, msg: 'v' }),
    ]);
  });

  it('has one line a second for what Nest says of every request', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const destination = logging();
    const nest = new NestLogger(createLogger('info', destination));
    for (let request = 0; request < 1_500; request++) {
      nest.error(`proxying ${randomUUID()} failed: TypeError: x`, 'TypeError: x\n  at y', 'SandboxProxy');
      nest.warn(`asking again in ${request} ms`, 'SandboxProxy');
      vi.advanceTimersByTime(1);
    }
    nest.error('proxying failed: RangeError: x', 'SandboxProxy');
    vi.useRealTimers();
    const told = destination.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ level, suppressed }) => [level, suppressed])).toEqual([
      [50, undefined],
      [40, undefined],
      [50, 999],
      [40, 999],
      [50, undefined],
    ]);
  });
});
