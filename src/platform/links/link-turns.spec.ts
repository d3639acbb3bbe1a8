import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LimitExceededError } from '../../sandbox-proxy/index.js';
import { LinkTurns } from './link-turns.js';

let turns: LinkTurns;
/** Links whose exchange has begun, in that order. */
let begun: string[];
let held: (() => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  turns = new LinkTurns();
  [begun, held] = [[], []];
});
afterEach(() => {
  vi.useRealTimers();
});

/** An exchange that goes on until `end` is called, once for each. */
function take(link: string): Promise<string> {
  return turns.take(link, () => {
    begun.push(link);
    return new Promise((resolve) => held.push(() => resolve(link)));
  });
}

async function end(): Promise<void> {
  held.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
}

const many = (count: number, link: string): Promise<string>[] =>
  Array.from({ length: count }, () => take(link));

describe('exchanges of links', () => {
  it('are made two at a time, each link in its turn', async () => {
    const all = [...many(5, 'a'), ...many(2, 'b'), take('c')];
    expect(begun).toEqual(['a', 'a']);
    for (let i = 0; i < 8; i += 1) await end();
    expect(begun).toEqual(['a', 'a', 'a', 'b', 'c', 'a', 'b', 'a']);
    expect(await Promise.all(all)).toHaveLength(8);
    void many(3, 'd');
    expect(begun.slice(8)).toEqual(['d', 'd']);
  });

  it('that fail make room for the next', async () => {
    const failing = [1, 2].map(() => turns.take('a', () => Promise.reject(new Error('no'))));
    const next = take('b');
    expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await vi.advanceTimersByTimeAsync(0);
    await end();
    expect(await next).toBe('b');
  });

  it('wait 200 of a link and 1,000 in all; one more is told at once', async () => {
    void many(202, 'a');
    await expect(take('a')).rejects.toThrow(LimitExceededError);
    for (const link of ['b', 'c', 'd', 'e']) void many(200, link).map((one) => one.catch(String));
    await expect(take('f')).rejects.toThrow(LimitExceededError);
    await end();
    void take('f').catch(String);
    expect(begun).toEqual(['a', 'a', 'a']);
  });

  it('that have waited for 5 s are told, and hold nobody up', async () => {
    const [, , late] = many(3, 'a');
    const outcome = late?.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(4_999);
    const next = take('b');
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBeInstanceOf(LimitExceededError);
    await end();
    expect(begun).toEqual(['a', 'a', 'b']);
    await end();
    await end();
    expect(await next).toBe('b');
  });
});
