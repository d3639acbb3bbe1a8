import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { DatabaseCheck } from './database-check.js';

describe('DatabaseCheck', () => {
  // pipelined `GET /readyz` took every connection to the database: 3.3 s for a cold key elsewhere
  it('asks once however many want to know, and not again for a second', async () => {
    let [now, asked] = [5_000, 0];
    let failure: Error | null = null;
    const lines: string[] = [];
    const dataSource = {
      query: async (): Promise<void> => {
        asked += 1;
        await new Promise(setImmediate);
        if (failure !== null) throw failure;
      },
    };
    const logger = pino({}, { write: (line: string) => void lines.push(line) });
    const check = new DatabaseCheck(dataSource as never, logger);

    const crowd = await Promise.all(Array.from({ length: 1_000 }, () => check.isAnswering(now)));
    expect([new Set(crowd), asked]).toEqual([new Set([true]), 1]);
    failure = new Error('gone');
    now += 999;
    expect([await check.isAnswering(now), asked]).toEqual([true, 1]);
    now += 1;
    for (let i = 0; i < 10; i += 1) expect(await check.isAnswering(now)).toBe(false);
    expect(asked).toBe(2);
    failure = null;
    now += 1_000;
    expect([await check.isAnswering(now), asked]).toEqual([true, 3]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('gone');
    expect(lines[0]).not.toContain('stack');
  });
});
