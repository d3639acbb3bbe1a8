import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSurroundings, ID, MOVED, OTHER_ID, RUNNING, TEAM } from '../../../test/kit/resolver-fakes.js';
import type { SandboxLocation } from '../contracts/sandbox-directory.js';
import { DirectoryUnavailableError, SandboxNotFoundError, TooManyLookupsError } from '../errors.js';
import { MemorySandboxRouteCache } from './sandbox-route-cache.js';

let fakes: FakeSurroundings;
let directory: FakeSurroundings['directory'];
let feed: FakeSurroundings['feed'];

function start(...parameters: ConstructorParameters<typeof FakeSurroundings>): void {
  fakes = new FakeSurroundings(...parameters);
  ({ directory, feed } = fakes);
}

const resolve = (id?: string, team?: string): Promise<string> => fakes.resolve(id, team);
const sleep = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Asks for so many sandboxes that do not exist. */
async function guess(times: number, team = TEAM): Promise<void> {
  directory.answer = null;
  for (let i = 0; i < times; i++) await Promise.allSettled([resolve(`cl-guess-${i}`, team)]);
  directory.answer = RUNNING;
}

beforeEach(() => {
  vi.useFakeTimers();
  start();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('resolving', () => {
  it('asks once and then answers from memory, without a promise', async () => {
    expect(await resolve()).toBe('10.0.0.1:5000');
    expect(fakes.resolver.resolve(ID, TEAM)).toEqual(RUNNING);
    expect(directory.asked).toBe(1);
  });

  it('asks anew for another team: an entry of one says nothing to the other', async () => {
    await resolve();
    directory.answer = null;
    await expect(resolve(ID, 'team-b')).rejects.toThrow(SandboxNotFoundError);
    expect(await resolve()).toBe('10.0.0.1:5000');
  });

  it('puts one query, however many requests wait for it', async () => {
    directory.isHeld = true;
    const all = Promise.all(Array.from({ length: 100 }, () => resolve()));
    await directory.release();
    expect(new Set(await all)).toEqual(new Set(['10.0.0.1:5000']));
    expect(directory.asked).toBe(1);
  });

  it('gives an empty address as it is: whether it can be used is for the pool to say', async () => {
    directory.answer = { status: 'running', address: '', hostId: null };
    expect(await resolve()).toBe('');
  });

  it.each(['pending', 'starting', 'paused', 'hibernated', 'stopped', 'missing', 'error', 'new-status'])(
    'gives the status %s as it is: the way of the request ends there',
    async (status) => {
      directory.answer = { ...RUNNING, status };
      expect(await fakes.resolver.resolve(ID, TEAM)).toEqual({ ...RUNNING, status });
    },
  );

  it('says that there is none, the first time and from memory', async () => {
    directory.answer = null;
    await expect(resolve()).rejects.toThrow(SandboxNotFoundError);
    expect(() => fakes.resolver.resolve(ID, TEAM)).toThrow(SandboxNotFoundError);
  });
});

describe('an entry', () => {
  it('lives its time and no longer', async () => {
    await resolve();
    directory.answer = MOVED;
    await sleep(119_999);
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('lives 5 s while the feed is down, also where it was stored before that', async () => {
    await resolve();
    feed.isLive = false;
    directory.answer = MOVED;
    await sleep(4_999);
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is too old at once where the feed goes down after that time', async () => {
    await resolve();
    await sleep(60_000);
    feed.isLive = false;
    directory.answer = MOVED;
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it.each<[SandboxLocation | null, boolean, number]>([
    [null, true, 2_000],
    [{ ...RUNNING, status: 'paused' }, true, 2_000],
    [null, false, 500],
    [{ ...RUNNING, status: 'paused' }, false, 500],
  ])('that says no (%j), with a live feed: %s, lives %i ms', async (location, isLive, ttlMs) => {
    feed.isLive = isLive;
    directory.answer = location;
    await Promise.allSettled([resolve()]);
    directory.answer = MOVED;
    await sleep(ttlMs - 1);
    await Promise.allSettled([resolve()]);
    expect(directory.asked).toBe(1);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is none with a cache time of 0', async () => {
    start(new MemorySandboxRouteCache(10), { routeCacheTtlMs: 0 });
    await resolve();
    await resolve();
    expect(directory.asked).toBe(2);
  });

  it('from the future is not believed: the clock was set back', async () => {
    await resolve();
    vi.setSystemTime(Date.now() - 60_000);
    await resolve();
    expect(directory.asked).toBe(2);
  });
});

describe('a directory that fails', () => {
  it('is said to be unavailable, to everyone who waited, and nothing is remembered', async () => {
    directory.error = new Error('connection refused');
    const [first, second] = await Promise.allSettled([resolve(), resolve()]);
    for (const { status, ...rest } of [first, second]) {
      expect(status).toBe('rejected');
      expect(rest).toEqual({ reason: new DirectoryUnavailableError(directory.error) });
    }
    expect(directory.asked).toBe(1);
    directory.error = null;
    expect(await resolve()).toBe('10.0.0.1:5000');
  });

  it('does not matter to a route that is known', async () => {
    await resolve();
    directory.error = new Error('connection refused');
    expect(await resolve()).toBe('10.0.0.1:5000');
  });

  it.each<[unknown]>([
    [undefined],
    ['running'],
    [[]],
    [{ status: 'running' }],
    [{ ...RUNNING, status: 7 }],
    [{ ...RUNNING, address: null }],
    [{ ...RUNNING, hostId: 7 }],
    [{ status: 'running', address: '10.0.0.1:5000' }],
    [{ ...RUNNING, isAsleep: 'no' }],
  ])('is one whose answer is %j', async (answer) => {
    directory.answer = answer as SandboxLocation;
    await expect(resolve()).rejects.toThrow(DirectoryUnavailableError);
  });
});

describe('what a team asks for without finding it', () => {
  it('is bounded: 5,000 at once; memory and the other teams are not concerned', async () => {
    await resolve();
    await guess(4_999);
    expect(await resolve(OTHER_ID)).toBe('10.0.0.1:5000');
    await guess(1);
    expect(() => fakes.resolver.resolve('cl-new', TEAM)).toThrow(TooManyLookupsError);
    expect(await resolve()).toBe('10.0.0.1:5000');
    expect(await resolve('cl-new', 'team-b')).toBe('10.0.0.1:5000');
  });

  it('is not what could not be asked about, and not what does not run', async () => {
    directory.error = new Error('connection refused');
    for (let i = 0; i < 6_000; i++) await Promise.allSettled([resolve(`cl-guess-${i}`)]);
    directory.error = null;
    directory.answer = { ...RUNNING, status: 'paused' };
    for (let i = 0; i < 6_000; i++) await resolve(`cl-guess-${i}`);
    expect(await resolve('cl-new')).toBe('10.0.0.1:5000');
  });

  it('cannot be under way in any number, and takes no room from another team', async () => {
    directory.isHeld = true;
    const waiting = Array.from({ length: 5_000 }, (_, i) => resolve(`cl-${i}`));
    expect(() => fakes.resolver.resolve('cl-new', TEAM)).toThrow(TooManyLookupsError);
    waiting.push(resolve('cl-new', 'team-b'));
    for (let i = 0; i < 5_001; i++) await directory.release();
    await Promise.all(waiting);
  });

  it('is not what could not be asked for want of room: that nobody knows', () => {
    directory.isHeld = true;
    for (const team of ['b', 'c', 'd', 'e'])
      for (let i = 0; i < 5_000; i++) void fakes.resolver.resolve(`cl-${i}`, team);
    const errors = new Set<unknown>();
    for (let i = 0; i < 6_000; i++) {
      try {
        void fakes.resolver.resolve(`cl-${i}`, TEAM);
      } catch (error) {
        errors.add((error as Error).constructor);
      }
    }
    expect([...errors]).toEqual([DirectoryUnavailableError]);
  });
});

describe('a route that is suspected', () => {
  it('is forgotten at most once a second for each sandbox: an app can answer 502 as often as it likes', async () => {
    await resolve();
    await resolve(OTHER_ID);
    for (let i = 0; i < 10; i++) {
      fakes.resolver.evictSuspected(ID, TEAM);
      await resolve();
    }
    expect(directory.asked).toBe(3);
    fakes.resolver.evictSuspected(OTHER_ID, TEAM);
    await resolve(OTHER_ID);
    expect(directory.asked).toBe(4);
    await sleep(999);
    fakes.resolver.evictSuspected(ID, TEAM);
    await resolve();
    expect(directory.asked).toBe(4);
    await sleep(1);
    fakes.resolver.evictSuspected(ID, TEAM);
    await resolve();
    expect(directory.asked).toBe(5);
  });
});
