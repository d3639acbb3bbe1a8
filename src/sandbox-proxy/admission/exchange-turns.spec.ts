import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TooManyLookupsError } from '../errors.js';
import { ExchangeTurns } from './exchange-turns.js';
import { StrangerBudget } from './stranger-budget.js';

let turns: ExchangeTurns;
/** Names of the exchanges, in the order in which they began. */
let begun: string[];
/** Ends the exchanges that are under way, oldest first. */
let ends: (() => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  turns = new ExchangeTurns(new StrangerBudget());
  begun = [];
  ends = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** An exchange that goes on until it is ended. */
function holding(client: string, name = client): Promise<string | null> {
  return turns.take(client, () => {
    begun.push(name);
    return new Promise((resolve) => {
      ends.push(() => resolve(name));
    });
  });
}

/** An exchange that is over at once. */
const junk = (client: string): Promise<null> => turns.take(client, () => Promise.resolve(null));

async function settled<Result>(work: readonly Promise<Result>[]): Promise<(Result | 'too many')[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    expect(outcome.reason).toBeInstanceOf(TooManyLookupsError);
    return 'too many';
  });
}

async function endAll(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
  while (ends.length > 0) {
    ends.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  }
}

describe('exchanges of links', () => {
  it('are made eight at a time for one network, and those of others beside them', async () => {
    const waiting = Array.from({ length: 20 }, (_, i) => holding(`2001:db8::${i}`, 'flood'));
    waiting.push(holding('192.0.2.1'));
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toEqual([...Array<string>(8).fill('flood'), '192.0.2.1']);
    await endAll();
    expect(await settled(waiting)).toHaveLength(21);
  });

  it('of a network are made in the order in which they came', async () => {
    const waiting = Array.from({ length: 40 }, (_, i) => holding('192.0.2.1', `${i}`));
    await endAll();
    await settled(waiting);
    expect(begun).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
  });

  it('are made a hundred at a time, and then network by network in turn', async () => {
    const flood = Array.from({ length: 13 * 30 }, (_, i) =>
      holding(`198.51.100.${i % 13}`, `flood ${i % 13}`),
    );
    const late = ['192.0.2.1', '192.0.2.2'].map((client) => holding(client));
    await vi.advanceTimersByTimeAsync(0);
    expect(begun).toHaveLength(100);
    for (let i = 0; i < 15; i++) ends.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(begun.slice(100)).toEqual(expect.arrayContaining(['192.0.2.1', '192.0.2.2']));
    await endAll();
    expect(await settled([...flood, ...late])).not.toContain('too many');
  });

  it('wait in a line of 240, and where more come the oldest is refused', async () => {
    const outcome = settled(Array.from({ length: 250 }, (_, i) => holding('192.0.2.1', `${i}`)));
    await endAll();
    expect((await outcome).flatMap((what, i) => (what === 'too many' ? [i] : []))).toEqual([8, 9]);
  });

  it('wait for 5 s at most, and are never made afterwards', async () => {
    for (let i = 0; i < 8; i++) void holding('192.0.2.1', 'stuck');
    const outcome = settled([holding('192.0.2.1', 'late')]);
    await vi.advanceTimersByTimeAsync(4_999);
    const other = holding('192.0.2.1', 'later');
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toEqual(['too many']);
    await endAll();
    expect(await other).toBe('later');
    expect(begun).not.toContain('late');
  });

  it('are of a thousand networks at a time', async () => {
    const work = Array.from({ length: 1_001 }, (_, i) => holding(`10.0.${i >> 8}.${i & 255}`));
    const refused = settled(work.slice(1_000));
    await endAll();
    expect(await refused).toEqual(['too many']);
    expect(await settled(work.slice(0, 1_000))).not.toContain('too many');
    expect(await junk('192.0.2.1')).toBeNull();
  });

  it('are over also where they fail', async () => {
    for (let i = 0; i < 600; i++)
      await expect(turns.take('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  });
});

describe('a link from an address whose budget is used up', () => {
  let flood: Promise<(null | 'too many')[]>;

  beforeEach(async () => {
    for (let i = 0; i < 500; i++) await junk('192.0.2.1');
    flood = settled(Array.from({ length: 1_500 }, () => junk('192.0.2.1')));
  });

  it('is exchanged once the budget pays for it, also right behind a flood', async () => {
    const link = turns.take('192.0.2.1', () => Promise.resolve('session'));
    const outcome = settled([link]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await outcome).toEqual(['session']);
    // the line, and no more: the budget is not overdrawn
    expect((await flood).filter((what) => what === null)).toHaveLength(239);
  });

  it('comes in its turn where the flood goes on', async () => {
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.race([flood.then(() => 'over'), Promise.resolve('going on')])).toBe('going on');
    const link = settled([turns.take('192.0.2.1', () => Promise.resolve('session'))]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await link).toEqual(['session']);
  });

  it('makes no other network wait', async () => {
    expect(await turns.take('192.0.2.2', () => Promise.resolve('session'))).toBe('session');
    await vi.advanceTimersByTimeAsync(5_000);
    await flood;
  });
});
