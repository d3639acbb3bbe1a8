import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BrokenCache,
  DistantCache,
  FakeSurroundings,
  ID,
  MOVED,
  OTHER_ID,
  TEAM,
  UUID,
} from '../../../test/support/resolver-fakes.js';
import type { FeedEvent } from '../../platform/database/change-feed.js';
import { decodeId } from '../../platform/identifiers/resource-id.js';
import { SandboxNotFoundError } from '../errors.js';
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

describe('a change', () => {
  const CHANGES: [string, FeedEvent][] = [
    ['of the sandbox', { table: 'sandboxes', id: UUID, teamId: TEAM }],
    ['of a host', { table: 'hosts', id: UUID }],
    ['that was missed', { table: '*' }],
  ];

  it.each(CHANGES)('%s evicts the route', async (_name, event) => {
    await resolve();
    directory.location = MOVED;
    feed.tell(event);
    expect(await resolve()).toBe('10.0.0.2:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it.each(CHANGES)('%s evicts what a query under way is about to store', async (_name, event) => {
    directory.isHeld = true;
    const early = resolve();
    await sleep(1);
    directory.location = MOVED;
    feed.tell(event);
    await sleep(1);
    const late = resolve();
    expect(directory.asked).toBe(2);
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    await directory.release();
    expect(await late).toBe('10.0.0.2:5000');
    directory.isHeld = false;
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is not undone by an old query that returns after the new one', async () => {
    directory.isHeld = true;
    const early = resolve();
    await sleep(1);
    directory.location = MOVED;
    feed.tell({ table: 'sandboxes', id: UUID, teamId: TEAM });
    await sleep(1);
    directory.isHeld = false;
    expect(await resolve()).toBe('10.0.0.2:5000');
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('is not forgotten because many others follow it', async () => {
    // A bulk UPDATE tells of more sandboxes than are kept, while a query from before it is still under way.
    start(new MemorySandboxRouteCache(10), { routeCacheMax: 2 });
    directory.isHeld = true;
    const early = resolve();
    await sleep(1);
    directory.location = MOVED;
    feed.tell({ table: 'sandboxes', id: UUID, teamId: TEAM });
    for (let i = 10; i < 20; i++)
      feed.tell({ table: 'sandboxes', id: `${UUID.slice(0, -2)}${i}`, teamId: TEAM });
    await directory.release();
    expect(await early).toBe('10.0.0.1:5000');
    directory.isHeld = false;
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it.each<FeedEvent>([
    { table: 'sandboxes', id: decodeId('cl', OTHER_ID) as string, teamId: TEAM },
    { table: 'sandboxes', id: UUID, teamId: 'team-b' },
    { table: 'teams', id: TEAM },
    { table: 'team_api_keys', id: 'k', teamId: TEAM, keyHash: 'h' },
  ])('of something else leaves the route: %j', async (event) => {
    await resolve();
    feed.tell(event);
    await resolve();
    expect(directory.asked).toBe(1);
  });

  it('is not heard any more once the module is destroyed', async () => {
    await resolve();
    fakes.resolver.onApplicationShutdown();
    feed.tell({ table: '*' });
    await resolve();
    expect(directory.asked).toBe(1);
  });
});

describe('evicting', () => {
  it('makes the next request ask again, and only about that route', async () => {
    await resolve();
    await resolve(OTHER_ID);
    await sleep(1);
    fakes.resolver.evict(ID, TEAM);
    await resolve();
    await resolve(OTHER_ID);
    expect(directory.asked).toBe(3);
  });
});

describe('a cache elsewhere', () => {
  it('is waited for, and asked before the database', async () => {
    start(new DistantCache());
    expect(await resolve()).toBe('10.0.0.1:5000');
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.1:5000');
    expect(directory.asked).toBe(1);
    directory.location = MOVED;
    fakes.resolver.evict(ID, TEAM);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });

  it('that deletes later than it answers is not believed in between', async () => {
    start(new DistantCache());
    await resolve();
    await sleep(1);
    directory.location = MOVED;
    fakes.resolver.evict(ID, TEAM);
    await sleep(1);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });
});

describe.each([
  ['at once', false],
  ['later', true],
])('a cache that fails %s', (_when, isLate) => {
  it.each([['get'], ['set'], ['delete'], ['clear'], ['get', 'set', 'delete', 'clear']])(
    'makes a request slower, never wrong: %s %s %s %s',
    async (...broken) => {
      start(new BrokenCache(broken, isLate));
      expect(await resolve()).toBe('10.0.0.1:5000');
      expect(await resolve()).toBe('10.0.0.1:5000');
      await sleep(1);
      directory.location = MOVED;
      feed.tell({ table: 'sandboxes', id: UUID, teamId: TEAM });
      await sleep(1);
      expect(await resolve()).toBe('10.0.0.2:5000');
      await sleep(1);
      directory.location = null;
      feed.tell({ table: '*' });
      await sleep(1);
      await expect(resolve()).rejects.toThrow(SandboxNotFoundError);
    },
  );

  it('stays never wrong when more was evicted than is remembered', async () => {
    start(new BrokenCache(['delete'], isLate), { routeCacheMax: 2 });
    await resolve();
    await sleep(1);
    directory.location = MOVED;
    fakes.resolver.evict(ID, TEAM);
    for (let i = 3; i < 9; i++) fakes.resolver.evict(ID.replace(/1$/, String(i)), TEAM);
    expect(await resolve()).toBe('10.0.0.2:5000');
  });
});
