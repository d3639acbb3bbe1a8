import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSurroundings, ID, MOVED, RUNNING, TEAM } from '../../../test/support/resolver-fakes.js';
import { DirectoryUnavailableError } from '../errors.js';
import { InvalidSandboxIdError, SandboxNotFoundError, SandboxNotRunningError } from '../errors.js';
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
    expect(fakes.resolver.resolve(ID, TEAM)).toBe('10.0.0.1:5000');
    expect(directory.asked).toBe(1);
  });

  it('asks anew for another team: an entry of one says nothing to the other', async () => {
    await resolve();
    directory.location = null;
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

  it('never asks about an id that decodes to nothing', () => {
    for (const id of ['cl-', 'cl-1', `${ID}0`, `cl-${'z'.repeat(25)}`, `team-${'0'.repeat(25)}`])
      expect(() => fakes.resolver.resolve(id, TEAM)).toThrow(InvalidSandboxIdError);
    expect(directory.asked).toBe(0);
  });

  it('gives an empty address as it is: whether it can be used is for the pool to say', async () => {
    directory.location = { status: 'running', address: '' };
    expect(await resolve()).toBe('');
  });

  it.each(['pending', 'starting', 'paused', 'hibernated', 'stopped', 'missing', 'error', 'new-status'])(
    'leads nowhere while the status is %s, and says so',
    async (status) => {
      directory.location = { ...RUNNING, status };
      await expect(resolve()).rejects.toThrow(new SandboxNotRunningError(status));
    },
  );
});

describe('an entry', () => {
  it('lives its time and no longer', async () => {
    await resolve();
    directory.location = MOVED;
    await sleep(119_999);
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('lives 5 s while the feed is down, also where it was stored before that', async () => {
    await resolve();
    feed.isLive = false;
    directory.location = MOVED;
    await sleep(4_999);
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is too old at once where the feed goes down after that time', async () => {
    await resolve();
    await sleep(60_000);
    feed.isLive = false;
    directory.location = MOVED;
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it.each([[null], [{ ...RUNNING, status: 'paused' }]])('that says no (%j) lives 2 s', async (location) => {
    directory.location = location;
    await expect(resolve()).rejects.toThrow(/^sandbox (not found|is not running)/);
    directory.location = RUNNING;
    await sleep(1_999);
    await expect(resolve()).rejects.toThrow(/^sandbox (not found|is not running)/);
    expect(directory.asked).toBe(1);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.1:5000');
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

describe('a database that fails', () => {
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
});
