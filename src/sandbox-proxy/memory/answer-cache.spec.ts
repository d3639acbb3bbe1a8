import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DistantAnswers, FakeFeed, HeldAnswers } from '../../../test/kit/answer-fakes.js';
import type { Change } from '../contracts/changes.js';
import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { AnswerCache, type AnswerCacheOptions, type AnswerMemory } from './answer-cache.js';
import { MemoryAnswers } from './memory-answers.js';

/** A team, as a store would answer it. */
interface Team {
  readonly teamId: string;
  readonly isRunning: boolean;
}

const A: Team = { teamId: 'team-a', isRunning: true };
const B: Team = { teamId: 'team-b', isRunning: true };
const PAUSED: Team = { ...A, isRunning: false };
const OWN_CHANGE: Change = { kind: 'sandbox', sandboxId: 'key' };

let feed: FakeFeed;
let store: HeldAnswers<Team>;
let cache: AnswerCache<Team>;

function isTeam(value: unknown): value is Team {
  return typeof value === 'object' && value !== null && 'teamId' in value;
}

function topicsOf(key: string, team: Team | null): string[] {
  return team === null ? [`sandbox ${key}`] : [`sandbox ${key}`, `team ${team.teamId}`];
}

function refuse(): never {
  throw new TooManyLookupsError();
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function start(more: Partial<AnswerCacheOptions<Team>> = {}): void {
  const memory = new MemoryAnswers<Team>(100, topicsOf);
  const isNegative = ({ isRunning }: Team) => !isRunning;
  cache = new AnswerCache({
    memory,
    feed,
    ttlMs: 120_000,
    maxFlights: 10,
    isAnswer: isTeam,
    isNegative,
    ...more,
  });
}

/** What the cache says of a key; what it throws at once as a rejection. */
async function get(key = 'key'): Promise<Team | null> {
  return cache.get(key, store.ask);
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Puts in memory what the store says now, and changes what it would say next. */
async function remember(answer: Team | null): Promise<void> {
  store.answer = answer;
  expect(await get()).toEqual(answer);
  store.answer = B;
}

/** Whether an answer is still served from memory. */
async function isRemembered(): Promise<boolean> {
  const { asked } = store;
  await get();
  return store.asked === asked;
}

beforeEach(() => {
  vi.useFakeTimers();
  feed = new FakeFeed();
  store = new HeldAnswers<Team>(A);
  start();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an answer', () => {
  it('comes from memory without a promise once it is known', async () => {
    expect(cache.get('key', store.ask)).toBeInstanceOf(Promise);
    await pass(0);
    expect(cache.get('key', store.ask)).toEqual(A);
    expect(store.asked).toBe(1);
  });

  it('that there is none is remembered like any other', async () => {
    await remember(null);
    expect(cache.get('key', store.ask)).toBeNull();
  });

  it('of one key says nothing of another', async () => {
    await get();
    store.answer = B;
    expect(await get('other')).toEqual(B);
    expect(await get()).toEqual(A);
  });

  // How old an answer may be, by what it says and what the feed is like when it is read.
  it.each<[string, Team | null, { isLive: boolean; provenMsAgo?: number }, number]>([
    ['yes', A, { isLive: true }, 120_000],
    ['yes', A, { isLive: true, provenMsAgo: 60_000 }, 120_000],
    ['yes', A, { isLive: false }, 5_000],
    ['no', PAUSED, { isLive: true }, 2_000],
    ['none', null, { isLive: true }, 2_000],
    ['no', PAUSED, { isLive: false }, 500],
    ['none', null, { isLive: false }, 500],
  ])('that says "%s" (%j) under a feed %j lives %i ms', async (_says, answer, state, ttlMs) => {
    feed.isLive = state.isLive;
    feed.provenAtMs = state.provenMsAgo === undefined ? 0 : Date.now() - state.provenMsAgo;
    await remember(answer);
    await pass(ttlMs - 1);
    expect(await isRemembered()).toBe(true);
    await pass(1);
    expect(await isRemembered()).toBe(false);
  });

  it.each<[string, Team | null, number]>([
    ['yes', A, 60_000],
    ['no', PAUSED, 1_000],
  ])(
    'that says "%s" is too old at once where the feed goes down after its time',
    async (_says, answer, ms) => {
      await remember(answer);
      await pass(ms);
      expect(await isRemembered()).toBe(true);
      feed.isLive = false;
      expect(await isRemembered()).toBe(false);
    },
  );

  it('is good for 5 s after the feed has last proved itself, however old it is', async () => {
    await remember(A);
    await pass(60_000);
    feed.isLive = false;
    feed.provenAtMs = Date.now() - 1_000;
    await pass(3_999);
    expect(await isRemembered()).toBe(true);
    await pass(1);
    expect(await isRemembered()).toBe(false);
  });

  it('is good for 5 s where the feed fails to say whether it is live', async () => {
    const fail = (): never => {
      throw new Error('the feed is broken');
    };
    start({
      feed: Object.defineProperties({} as FakeFeed, { isLive: { get: fail }, provenAtMs: { get: fail } }),
    });
    await remember(A);
    await pass(4_999);
    expect(await isRemembered()).toBe(true);
    await pass(1);
    expect(await isRemembered()).toBe(false);
  });

  it('is good for 5 s after it was asked for, where the feed proved itself before', async () => {
    feed.isLive = false;
    feed.provenAtMs = Date.now();
    await pass(4_000);
    await remember(A);
    await pass(4_999);
    expect(await isRemembered()).toBe(true);
    await pass(1);
    expect(await isRemembered()).toBe(false);
  });

  it('does not live longer than its time because the feed proves itself', async () => {
    await remember(A);
    await pass(120_000);
    feed.provenAtMs = Date.now();
    expect(await isRemembered()).toBe(false);
  });

  it('from before a gap in the feed is worth nothing, however lately the feed has proved itself', async () => {
    await remember(A);
    feed.isLive = false;
    await pass(1_000);
    feed.provenAtMs = Date.now();
    cache.forget({ kind: 'everything' });
    expect(await isRemembered()).toBe(false);
  });

  it('counts from when it was asked for, not from when it came', async () => {
    store.isHeld = true;
    const waiting = get();
    await pass(9_000);
    await store.release();
    expect(await waiting).toEqual(A);
    store.isHeld = false;
    await pass(110_999);
    expect(await isRemembered()).toBe(true);
    await pass(1);
    expect(await isRemembered()).toBe(false);
  });

  it('from the future is not believed: the clock was set back', async () => {
    await remember(A);
    vi.setSystemTime(Date.now() - 60_000);
    expect(await isRemembered()).toBe(false);
  });

  it('does not outlive 5 s without a feed because a proof is from the future: the clock was set back', async () => {
    feed.provenAtMs = Date.now();
    vi.setSystemTime(Date.now() - 3_600_000);
    feed.isLive = false;
    await remember(A);
    await pass(5_000);
    expect(await isRemembered()).toBe(false);
  });

  it('is never remembered with a time of 0', async () => {
    start({ ttlMs: 0 });
    for (let i = 0; i < 3; i++) await get();
    store.answer = null;
    for (let i = 0; i < 3; i++) await get();
    expect(store.asked).toBe(6);
  });

  it('that says no does not live longer than any other', async () => {
    start({ ttlMs: 1_000 });
    await remember(null);
    await pass(1_000);
    expect(await isRemembered()).toBe(false);
  });
});

describe('a question', () => {
  it('is put once, however many wait for it', async () => {
    store.isHeld = true;
    const all = Promise.all(Array.from({ length: 100 }, () => get()));
    await store.release();
    expect(new Set(await all)).toEqual(new Set([A]));
    expect(store.asked).toBe(1);
  });

  it('is not put where whoever asks may not, but memory and what is under way are there for all', async () => {
    expect(() => cache.get('key', store.ask, refuse)).toThrow(TooManyLookupsError);
    expect(store.asked).toBe(0);
    store.isHeld = true;
    const asking = get();
    const joining = cache.get('key', store.ask, refuse);
    await store.release();
    expect(await asking).toEqual(A);
    expect(await joining).toEqual(A);
    expect(cache.get('key', store.ask, refuse)).toEqual(A);
  });

  it('is refused where too many are under way, and there is room again when one has ended', async () => {
    store.isHeld = true;
    const waiting = Array.from({ length: 10 }, (_, i) => get(`key-${i}`));
    expect(() => cache.get('one-more', store.ask)).toThrow(DirectoryUnavailableError);
    const joining = get('key-3');
    await store.release();
    expect(await waiting[0]).toEqual(A);
    expect(() => cache.get('one-more', store.ask)).not.toThrow();
    expect(() => cache.get('two-more', store.ask)).toThrow(DirectoryUnavailableError);
    for (let i = 0; i < 10; i++) await store.release();
    await Promise.all([...waiting, joining]);
  });

  it('that is refused because too many are under way costs nobody anything', () => {
    start({ maxFlights: 0 });
    const beforeAsking = vi.fn<() => void>();
    expect(() => cache.get('key', store.ask, beforeAsking)).toThrow(DirectoryUnavailableError);
    expect(beforeAsking).not.toHaveBeenCalled();
  });

  // Whoever can make changes happen could otherwise have any number of questions under way.
  it('counts as under way until it is answered, also after a change', async () => {
    store.isHeld = true;
    const waiting: Promise<unknown>[] = [];
    for (let i = 0; i < 10; i++) {
      waiting.push(get());
      cache.forget(OWN_CHANGE);
    }
    expect(() => cache.get('key', store.ask)).toThrow(DirectoryUnavailableError);
    for (let i = 0; i < 10; i++) await store.release();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([A]));
    store.isHeld = false;
    expect(await get()).toEqual(A);
  });
});

describe('a store', () => {
  it.each<[string, () => Promise<Team | null>]>([
    ['that rejects', () => Promise.reject(new Error('connection refused'))],
    [
      'that throws at once',
      () => {
        throw new Error('not connected');
      },
    ],
    ['that does not answer', never],
    ['that answers undefined', () => Promise.resolve(undefined) as never],
    ['that answers another shape', () => Promise.resolve({ team: 'a' }) as never],
    ['that answers a text', () => Promise.resolve('team-a') as never],
    ['that answers true', () => Promise.resolve(true) as never],
  ])('%s is not available, to everyone who waits, and nothing is remembered', async (_what, ask) => {
    const outcomes = Promise.allSettled([cache.get('key', ask), cache.get('key', ask)]);
    await pass(10_000);
    for (const outcome of await outcomes)
      expect(outcome).toEqual({ status: 'rejected', reason: expect.any(DirectoryUnavailableError) });
    expect(await get()).toEqual(A);
  });

  it('is given 10 s, and no timer is left behind by one that answers in time', async () => {
    const late = vi.fn<(error: unknown) => void>();
    Promise.resolve(cache.get('slow', never)).catch(late);
    await pass(9_999);
    expect(late).not.toHaveBeenCalled();
    await pass(1);
    expect(late).toHaveBeenCalledWith(expect.any(DirectoryUnavailableError));
    await get();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that fails does not matter to an answer that is known', async () => {
    await get();
    store.error = new Error('connection refused');
    expect(await get()).toEqual(A);
  });

  it('that answered too late is not believed afterwards', async () => {
    store.isHeld = true;
    const waiting = Promise.allSettled([get()]);
    await pass(10_000);
    expect(await waiting).toMatchObject([{ status: 'rejected' }]);
    await store.release();
    store.isHeld = false;
    store.answer = B;
    expect(await get()).toEqual(B);
  });
});

describe('forgetting', () => {
  it.each<[string, Change]>([
    ['its own', OWN_CHANGE],
    ['of its team', { kind: 'team', teamId: 'team-a' }],
    ['of everything', { kind: 'everything' }],
  ])('a change %s makes the next request ask again', async (_whose, change) => {
    await remember(A);
    cache.forget(change);
    expect(await get()).toEqual(B);
  });

  it.each<[string, Change]>([
    ['of another key', { kind: 'sandbox', sandboxId: 'other' }],
    ['of another team', { kind: 'team', teamId: 'team-b' }],
    ['of another kind', { kind: 'host', hostId: 'key' }],
    ['of a thing whose name is longer', { kind: 'sandbox', sandboxId: 'key ' }],
  ])('a change %s leaves the answer', async (_whose, change) => {
    await remember(A);
    cache.forget(change);
    expect(await isRemembered()).toBe(true);
  });

  it('that there is none makes the next request ask again', async () => {
    await remember(null);
    cache.forget(OWN_CHANGE);
    expect(await get()).toEqual(B);
  });

  it('one answer leaves the others', async () => {
    await remember(A);
    store.answer = A;
    await get('other');
    cache.delete('key');
    store.answer = B;
    expect(await get('other')).toEqual(A);
    expect(await get()).toEqual(B);
  });

  it.each<[string, () => void]>([
    ['one answer', () => cache.delete('key')],
    ['after its own change', () => cache.forget(OWN_CHANGE)],
    ['after a change of everything', () => cache.forget({ kind: 'everything' })],
  ])(
    '%s while it is being asked for: who waits gets the old one, who comes the new one',
    async (_what, forget) => {
      store.isHeld = true;
      const early = get();
      forget();
      store.answer = B;
      const late = get();
      expect(store.asked).toBe(2);
      await store.release();
      expect(await early).toEqual(A);
      const joining = get();
      expect(store.asked).toBe(2);
      await store.release();
      expect([await late, await joining, await get()]).toEqual([B, B, B]);
      expect(store.asked).toBe(2);
    },
  );

  // What an answer rests on is known when it is there: until then it may be anything.
  it('after a change of its team while it is being asked for: who comes asks again once that is known', async () => {
    store.isHeld = true;
    const early = get();
    cache.forget({ kind: 'team', teamId: 'team-a' });
    store.answer = B;
    const late = [get(), get()];
    expect(store.asked).toBe(1);
    await store.release();
    expect(await early).toEqual(A);
    await store.release();
    expect(await Promise.all(late)).toEqual([B, B]);
    expect(await isRemembered()).toBe(true);
    expect(store.asked).toBe(2);
  });

  it('what an answer does not rest on, while it is being asked for, changes nothing', async () => {
    store.isHeld = true;
    const early = get();
    cache.forget({ kind: 'team', teamId: 'team-b' });
    cache.forget({ kind: 'sandbox', sandboxId: 'other' });
    const late = get();
    await store.release();
    expect(await Promise.all([early, late])).toEqual([A, A]);
    expect(await isRemembered()).toBe(true);
    expect(store.asked).toBe(1);
  });

  it('is asked for anew once for each that comes, however many changes follow', async () => {
    store.isHeld = true;
    const early = get();
    cache.forget({ kind: 'team', teamId: 'team-a' });
    const late = get();
    await store.release();
    cache.forget({ kind: 'team', teamId: 'team-a' });
    await store.release();
    expect(await Promise.all([early, late])).toEqual([A, A]);
    expect(store.asked).toBe(2);
  });

  it('is not undone by an old answer that comes after the new one', async () => {
    store.isHeld = true;
    const early = get();
    cache.forget(OWN_CHANGE);
    store.isHeld = false;
    store.answer = B;
    expect(await get()).toEqual(B);
    await store.release();
    expect(await early).toEqual(A);
    expect(await get()).toEqual(B);
  });

  it('is not undone by an old question that fails after the new one was put', async () => {
    store.isHeld = true;
    const early = Promise.allSettled([get()]);
    cache.forget(OWN_CHANGE);
    const late = get();
    store.errorOfNext = new Error('connection refused');
    await store.release();
    expect(await early).toMatchObject([{ status: 'rejected' }]);
    const joining = get();
    expect(store.asked).toBe(2);
    await store.release();
    expect([await late, await joining]).toEqual([A, A]);
  });
});

describe('a memory elsewhere', () => {
  let memory: DistantAnswers<Team>;
  beforeEach(() => {
    memory = new DistantAnswers<Team>();
    start({ memory: memory as AnswerMemory<Team> });
  });

  it('is waited for, and its answers are held to their age like any others', async () => {
    await get();
    store.answer = B;
    expect(await get()).toEqual(A);
    await pass(120_000);
    expect(await get()).toEqual(B);
    expect(store.asked).toBe(2);
  });

  it('is told how long what it is given is of use', async () => {
    await get();
    store.answer = null;
    await get('none');
    expect(memory.ttls).toEqual([120_000, 2_000]);
  });

  it('does not keep two that wait for it from asking together', async () => {
    expect(await Promise.all([get(), get()])).toEqual([A, A]);
    expect(store.asked).toBe(1);
  });

  it('makes what is refused a rejection', async () => {
    start({ memory: memory as AnswerMemory<Team>, maxFlights: 0 });
    await expect(cache.get('key', store.ask)).rejects.toThrow(DirectoryUnavailableError);
  });
});
