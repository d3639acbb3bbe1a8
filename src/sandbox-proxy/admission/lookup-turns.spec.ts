import { describe, expect, it, vi } from 'vitest';
import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { LookupTurns } from './lookup-turns.js';

/** Lookups that are held until `end` is called, once for each. */
function heldLookups(turns: LookupTurns) {
  const begun: number[] = [];
  const held: (() => void)[] = [];
  const take = (address: string, id: number): Promise<number> =>
    turns.take(address, () => {
      begun.push(id);
      return new Promise((resolve) => held.push(() => resolve(id)));
    });
  const end = async (): Promise<void> => {
    held.shift()?.();
    await new Promise(setImmediate);
  };
  return { begun, take, end };
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);

describe('LookupTurns', () => {
  it('lets 50 of one client be looked up at a time, and then those that came last', async () => {
    const { begun, take, end } = heldLookups(new LookupTurns('of a test'));
    const all = numbers(120).map((id) => take('10.0.0.1', id));
    expect(begun).toEqual(numbers(50));
    await end();
    expect(begun).toEqual([...numbers(50), 119]);
    for (let i = 1; i < 120; i += 1) await end();
    expect(await Promise.all(all)).toEqual(numbers(120));
    void take('10.0.0.1', 120);
    expect(begun.slice(50)).toEqual([...numbers(70, 50).toReversed(), 120]);
  });

  it('does not make another asker wait', async () => {
    const { begun, take, end } = heldLookups(new LookupTurns('of a test'));
    for (const id of numbers(60)) void take('10.0.0.1', id);
    expect(begun).toHaveLength(50);
    void take('10.0.0.2', 101);
    expect(begun.slice(50)).toEqual([101]);
    // none is left waiting, to be refused when nobody looks
    for (let i = 0; i < 61; i += 1) await end();
  });

  it('lets 1,000 of a client wait, and refuses the oldest of them for one more', async () => {
    const { begun, take, end } = heldLookups(new LookupTurns('of a test'));
    const all = numbers(1_050).map((id) => take('10.0.0.1', id));
    const [oldest, second] = [all[50], all[51]].map((one) => one?.catch((error: unknown) => error));
    const late = take('10.0.0.1', 1_050);
    expect(await oldest).toBeInstanceOf(TooManyLookupsError);
    for (let i = 0; i < 1_050; i += 1) await end();
    expect([await second, await late, begun.length]).toEqual([51, 1_050, 1_050]);
    expect(begun[50]).toBe(1_050);
  });

  it('hands the turn on where a lookup fails', async () => {
    const turns = new LookupTurns('of a test');
    const failing = numbers(100).map(() =>
      turns.take('10.0.0.1', () => Promise.reject(new Error('database'))),
    );
    const outcomes = await Promise.allSettled(failing);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await turns.take('10.0.0.1', () => 1)).toBe(1);
  });

  it('is not waited for longer than 5 s, and then says that the answer is not to be had', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { begun, take, end } = heldLookups(new LookupTurns('of a test'));
    const first = numbers(50).map((id) => take('10.0.0.1', id));
    const late = take('10.0.0.1', 50).catch((error: unknown) => error);
    vi.advanceTimersByTime(4_999);
    const next = take('10.0.0.1', 51);
    vi.advanceTimersByTime(1);
    expect(await late).toBeInstanceOf(DirectoryUnavailableError);
    vi.useRealTimers();
    for (let i = 0; i < 51; i += 1) await end();
    await Promise.all([...first, next]);
    expect(begun).toEqual([...numbers(50), 51]);
  });
});
