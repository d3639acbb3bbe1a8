import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import {
  BrokenCache,
  DistantCache,
  FakeSurroundings,
  ID,
  MOVED,
  OTHER_ID,
  TEAM,
} from '../../../test/kit/resolver-fakes.js';
import type { Change } from '../contracts/changes.js';
import type { CachedRoute } from '../contracts/sandbox-route-cache.js';
import { SandboxNotFoundError } from '../errors.js';
import { MemorySandboxRouteCache } from './sandbox-route-cache.js';

const log = collectNestLog();
let fakes: FakeSurroundings;
let directory: FakeSurroundings['directory'];

function start(...parameters: ConstructorParameters<typeof FakeSurroundings>): void {
  fakes = new FakeSurroundings(...parameters);
  ({ directory } = fakes);
}

const resolve = (id?: string, team?: string): Promise<string> => fakes.resolve(id, team);
const sleep = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const OWN: Change = { kind: 'sandbox', sandboxId: ID };
const OF_THE_ROUTE: [string, Change][] = [
  ['of the sandbox', OWN],
  ['of its team', { kind: 'team', teamId: TEAM }],
  ['of its host', { kind: 'host', hostId: 'host-1' }],
  ['that was missed', { kind: 'everything' }],
];
const OF_OTHERS: [Change][] = [
  [{ kind: 'sandbox', sandboxId: OTHER_ID }],
  [{ kind: 'sandbox', sandboxId: TEAM }],
  [{ kind: 'team', teamId: 'team-b' }],
  [{ kind: 'host', hostId: 'host-2' }],
  [{ kind: 'port', sandboxId: ID, port: 80 }],
  [{ kind: 'credential', scheme: 'api-key', subject: ID }],
];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['memory', () => new MemorySandboxRouteCache(10)],
  ['a store elsewhere', () => new DistantCache()],
])('a change, with routes in %s,', (_where, newCache) => {
  beforeEach(() => start(newCache()));

  it.each(OF_THE_ROUTE)('%s evicts the route', async (_name, change) => {
    await resolve();
    directory.answer = MOVED;
    await sleep(1);
    fakes.forget(change);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
    expect(directory.asked).toBe(2);
  });

  it.each(OF_THE_ROUTE)('%s evicts what a query under way is about to store', async (_name, change) => {
    directory.isHeld = true;
    const early = resolve();
    await sleep(1);
    directory.answer = MOVED;
    fakes.forget(change);
    await sleep(1);
    const late = resolve();
    await sleep(1);
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    await sleep(1);
    await directory.release();
    expect(await late).toBe('10.0.0.2:5000');
    directory.isHeld = false;
    expect(await resolve()).toBe('10.0.0.2:5000');
    expect(directory.asked).toBe(2);
  });

  it('is not undone by an old query that returns after the new one', async () => {
    directory.isHeld = true;
    const early = resolve();
    await sleep(1);
    directory.answer = MOVED;
    fakes.forget(OWN);
    await sleep(1);
    directory.isHeld = false;
    expect(await resolve()).toBe('10.0.0.2:5000');
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it.each(OF_OTHERS)('of something else leaves the route: %j', async (change) => {
    await resolve();
    await sleep(1);
    fakes.forget(change);
    await resolve();
    expect(directory.asked).toBe(1);
  });

  it('that a sandbox is there now is seen although there was none', async () => {
    directory.answer = null;
    await expect(resolve()).rejects.toThrow(SandboxNotFoundError);
    directory.answer = MOVED;
    await sleep(1);
    fakes.forget(OWN);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is not forgotten because many others follow it', async () => {
    // A bulk UPDATE tells of more sandboxes than are kept apart, while a query from before it is still under way.
    await resolve();
    directory.isHeld = true;
    const early = resolve(OTHER_ID);
    await sleep(1);
    directory.answer = MOVED;
    fakes.forget({ kind: 'sandbox', sandboxId: OTHER_ID });
    fakes.forget(OWN);
    for (let i = 0; i < 10_001; i++) fakes.forget({ kind: 'sandbox', sandboxId: `cl-${i}` });
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    directory.isHeld = false;
    await sleep(1);
    expect([await resolve(OTHER_ID), await resolve()]).toEqual(['10.0.0.2:5000', '10.0.0.2:5000']);
  });
});

describe('evicting', () => {
  it('makes the next request ask again, and only about that route', async () => {
    start();
    await resolve();
    await resolve(OTHER_ID);
    await sleep(1);
    fakes.resolver.evict(ID, TEAM);
    await resolve();
    await resolve(OTHER_ID);
    expect(directory.asked).toBe(3);
  });
});

describe('a store elsewhere', () => {
  let store: DistantCache;
  beforeEach(() => {
    store = new DistantCache();
    start(store);
  });

  it('is waited for, and asked before the directory', async () => {
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.1:5000');
    expect(directory.asked).toBe(1);
    directory.answer = MOVED;
    fakes.resolver.evict(ID, TEAM);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('that deletes later than it answers is not believed in between', async () => {
    await resolve();
    await sleep(1);
    directory.answer = MOVED;
    fakes.resolver.evict(ID, TEAM);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is given plain data under the key that its contract names', async () => {
    await resolve();
    const [[key, text] = []] = store.texts;
    expect(key).toBe(`${ID}/${TEAM}`);
    expect(JSON.parse(text as string)).toEqual({
      value: { status: 'running', address: '10.0.0.1:5000', hostId: 'host-1' },
      askedAtMs: Date.now(),
    });
  });

  it.each([
    'null',
    '7',
    '"text"',
    '{}',
    '{"value":null}',
    '{"value":null,"askedAtMs":"1"}',
    '{"askedAtMs":1}',
    '{"value":{"status":"running","address":"10.9.9.9:1"},"askedAtMs":AGO}',
    '{"value":{"status":"running","address":7,"hostId":null},"askedAtMs":AGO}',
    '{"kind":"found","status":"running","address":"10.9.9.9:1","storedAtMs":AGO}',
  ])('is not believed where it gives back what it was not given: %s', async (text) => {
    await sleep(1_000);
    store.texts.set(`${ID}/${TEAM}`, text.replace('AGO', String(Date.now() - 1)));
    expect(await resolve()).toBe('10.0.0.1:5000');
    expect(directory.asked).toBe(1);
  });

  it('is believed where another process has filled it', async () => {
    await sleep(1_000);
    const route: CachedRoute = { value: MOVED, askedAtMs: Date.now() - 1 };
    store.texts.set(`${ID}/${TEAM}`, JSON.stringify(route));
    expect(await resolve()).toBe('10.0.0.2:5000');
    expect(directory.asked).toBe(0);
  });

  it('is not believed where another process has filled it from before a change', async () => {
    await sleep(1_000);
    fakes.forget({ kind: 'host', hostId: 'host-2' });
    const route: CachedRoute = { value: MOVED, askedAtMs: Date.now() };
    store.texts.set(`${ID}/${TEAM}`, JSON.stringify(route));
    expect(await resolve()).toBe('10.0.0.1:5000');
  });

  it('is waited for half a second, and no timer is left behind by one that answers', async () => {
    store.get = () => new Promise(() => undefined);
    const waiting = resolve();
    await sleep(499);
    expect(directory.asked).toBe(0);
    await sleep(1);
    expect(await waiting).toBe('10.0.0.1:5000');
    expect(log.lines).toEqual([
      'warn: the route cache failed; asking the directory (Error: no answer in time)',
    ]);
    start(new DistantCache());
    await resolve();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe.each([
  ['at once', false],
  ['later', true],
])('a store that fails %s', (_when, isLate) => {
  it.each([['get'], ['set'], ['delete'], ['clear'], ['get', 'set', 'delete', 'clear']])(
    'makes a request slower, never wrong: %s %s %s %s',
    async (...broken) => {
      start(new BrokenCache(broken, isLate));
      expect(await resolve()).toBe('10.0.0.1:5000');
      expect(await resolve()).toBe('10.0.0.1:5000');
      await sleep(1);
      directory.answer = MOVED;
      fakes.forget(OWN);
      await sleep(1);
      expect(await resolve()).toBe('10.0.0.2:5000');
      fakes.resolver.evict(ID, TEAM);
      await sleep(1);
      expect(await resolve()).toBe('10.0.0.2:5000');
      await sleep(1);
      directory.answer = null;
      fakes.forget({ kind: 'everything' });
      await sleep(1);
      await expect(resolve()).rejects.toThrow(SandboxNotFoundError);
      expect(log.lines.length).toBeGreaterThan(0);
      for (const line of log.lines)
        expect(line).toMatch(/^warn: the route cache failed; asking the directory \(Error: \w+ failed\)$/);
    },
  );

  it('is one line a second', async () => {
    start(new BrokenCache(['get'], isLate));
    for (let i = 0; i < 250; i += 1) {
      await resolve();
      await sleep(10);
    }
    expect(log.lines).toHaveLength(3);
  });

  it('stays never wrong when more was evicted than is remembered', async () => {
    start(new BrokenCache(['delete'], isLate));
    await resolve();
    await sleep(1);
    directory.answer = MOVED;
    fakes.resolver.evict(ID, TEAM);
    for (let i = 0; i < 10_001; i++) fakes.resolver.evict(`cl-${i}`, TEAM);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });
});
