import { beforeEach, describe, expect, it } from 'vitest';
import { ChangeFeed, type FeedEvent } from '../database/change-feed.js';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { generateApiKey, hashApiKey } from '../identifiers/api-key.js';
import type { ApiKeyOptions } from './api-key.options.js';
import type { AdmittedKey } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { LastUsedRecorder } from './last-used.recorder.js';

class FakeFeed extends ChangeFeed {
  isLive = true;
  readonly listeners = new Set<(event: FeedEvent) => void>();
  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  tell(event: FeedEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

/** A table of keys that counts its queries and can be held back or broken. */
class FakeRepository {
  readonly rows = new Map<string, AdmittedKey>();
  readonly asked: string[] = [];
  readonly recorded: string[][] = [];
  failure: Error | null = null;
  gate: Promise<void> = Promise.resolve();

  async findByHash(keyHash: string): Promise<AdmittedKey | null> {
    this.asked.push(keyHash);
    const { failure } = this;
    const answer = this.rows.get(keyHash) ?? null;
    await this.gate;
    if (failure !== null) throw failure;
    return answer;
  }

  async recordUse(keyIds: readonly string[]): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.recorded.push([...keyIds]);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  const box: { resolve?: () => void } = {};
  const promise = new Promise<void>((resolve) => {
    box.resolve = resolve;
  });
  return { promise, resolve: () => box.resolve?.() };
}

const KEY = generateApiKey();
const HASH = hashApiKey(KEY);
const ADMITTED: AdmittedKey = { teamId: 'team-a', keyId: 'key-a', keyHash: HASH };
const KEY_EVENT: FeedEvent = { table: 'team_api_keys', id: 'key-a', teamId: 'team-a', keyHash: HASH };

describe('ApiKeyService', () => {
  let now: number;
  let feed: FakeFeed;
  let repository: FakeRepository;
  let recorder: LastUsedRecorder;
  let service: ApiKeyService;

  function build(options: Partial<ApiKeyOptions> = {}, isRecorded = true): void {
    const all = { cacheTtlMs: 120_000, cacheMax: 100, clock: () => now, ...options };
    recorder = new LastUsedRecorder(repository as never, { isRecorded, clock: () => now });
    service = new ApiKeyService(repository as never, feed, recorder, all);
  }

  /** Holds the next queries until the returned function is called. */
  function hold(): () => void {
    const { promise, resolve } = withResolvers();
    repository.gate = promise;
    return resolve;
  }

  beforeEach(() => {
    now = 1_000_000;
    feed = new FakeFeed();
    repository = new FakeRepository();
    repository.rows.set(HASH, ADMITTED);
    build();
  });

  it('answers without a promise once it knows', async () => {
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
    expect(repository.asked).toEqual([HASH]);
  });

  it.each(['', 'wrn_', KEY.toUpperCase(), `${KEY}0`, ` ${KEY}`, `${KEY}\n`, 'sk_0123456789'])(
    'refuses the malformed key %j without a query',
    (key) => {
      expect(service.findTeam(key)).toBeNull();
      expect(repository.asked).toEqual([]);
    },
  );

  it('asks once however many wait', async () => {
    const open = hold();
    const waiting = Array.from({ length: 100 }, () => service.findTeam(KEY));
    open();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([ADMITTED]));
    expect(repository.asked).toHaveLength(1);
  });

  it.each([
    [119_999, 1],
    [120_000, 2],
  ])('after %i ms has asked %i times', async (elapsed, times) => {
    await service.findTeam(KEY);
    now += elapsed;
    await service.findTeam(KEY);
    expect(repository.asked).toHaveLength(times);
  });

  it('remembers an unknown key for two seconds', async () => {
    repository.rows.clear();
    expect(await service.findTeam(KEY)).toBeNull();
    now += 1_999;
    expect(service.findTeam(KEY)).toBeNull();
    repository.rows.set(HASH, ADMITTED);
    now += 1;
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('trusts an entry for five seconds while the feed is down, whenever it was stored', async () => {
    await service.findTeam(KEY);
    now += 5_000;
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
    feed.isLive = false;
    await service.findTeam(KEY);
    expect(repository.asked).toHaveLength(2);
    now += 4_999;
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it.each<[string, FeedEvent]>([
    ['its key', KEY_EVENT],
    ['its team', { table: 'teams', id: 'team-a' }],
    ['everything', { table: '*' }],
  ])('forgets an entry when the feed tells of %s', async (_name, event) => {
    await service.findTeam(KEY);
    repository.rows.clear();
    feed.tell(event);
    expect(await service.findTeam(KEY)).toBeNull();
  });

  it.each<[string, FeedEvent]>([
    ['another key', { ...KEY_EVENT, keyHash: 'other' }],
    ['another team', { table: 'teams', id: 'team-b' }],
    ['a sandbox', { table: 'sandboxes', id: 'x', teamId: 'team-a' }],
  ])('keeps an entry when the feed tells of %s', async (_name, event) => {
    await service.findTeam(KEY);
    feed.tell(event);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('forgets that a key was unknown when the feed tells that it was made', async () => {
    repository.rows.clear();
    await service.findTeam(KEY);
    repository.rows.set(HASH, ADMITTED);
    feed.tell(KEY_EVENT);
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it.each<[string, FeedEvent]>([
    ['its key', KEY_EVENT],
    ['a team', { table: 'teams', id: 'team-a' }],
    ['everything', { table: '*' }],
  ])(
    'neither keeps nor shares an answer that was under way when the feed told of %s',
    async (_name, event) => {
      const open = hold();
      const early = service.findTeam(KEY);
      repository.rows.clear();
      feed.tell(event);
      const late = service.findTeam(KEY);
      open();
      expect(await early).toEqual(ADMITTED);
      expect(await late).toBeNull();
      expect(service.findTeam(KEY)).toBeNull();
      expect(repository.asked).toHaveLength(2);
    },
  );

  it('does not keep an answer that was under way when its key was deleted', async () => {
    const open = hold();
    const early = service.findTeam(KEY);
    repository.rows.clear();
    feed.tell(KEY_EVENT);
    open();
    expect(await early).toEqual(ADMITTED);
    expect(await service.findTeam(KEY)).toBeNull();
  });

  it('turns a failing database into DirectoryUnavailableError and remembers nothing', async () => {
    repository.failure = new Error('connection refused');
    await expect(service.findTeam(KEY)).rejects.toThrow(DirectoryUnavailableError);
    repository.failure = null;
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('serves what it knows while the database is gone', async () => {
    await service.findTeam(KEY);
    repository.failure = new Error('connection refused');
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('keeps known keys however many unknown ones are tried', async () => {
    await service.findTeam(KEY);
    for (let i = 0; i < 10_000; i += 1) await service.findTeam(`wrn_${i.toString(16).padStart(32, '0')}`);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('caches nothing with a time of 0', async () => {
    build({ cacheTtlMs: 0 });
    await service.findTeam(KEY);
    await service.findTeam(KEY);
    expect(repository.asked).toHaveLength(2);
  });

  it('listens no more once the module is destroyed', () => {
    service.onApplicationShutdown();
    expect(feed.listeners.size).toBe(0);
  });

  describe('last_used', () => {
    it('is written once a minute per key, together', async () => {
      const other = generateApiKey();
      repository.rows.set(hashApiKey(other), { teamId: 'team-b', keyId: 'key-b', keyHash: 'hash' });
      for (const key of [KEY, other, KEY]) await service.findTeam(key);
      await recorder.flush();
      now += 59_999;
      await service.findTeam(KEY);
      await recorder.flush();
      expect(repository.recorded).toEqual([['key-a', 'key-b']]);
      now += 1;
      await service.findTeam(KEY);
      await recorder.beforeApplicationShutdown();
      expect(repository.recorded).toEqual([['key-a', 'key-b'], ['key-a']]);
    });

    it('is not written for an unknown key', async () => {
      repository.rows.clear();
      await service.findTeam(KEY);
      await recorder.flush();
      expect(repository.recorded).toEqual([]);
    });

    it('is not written at all on a database that is only read', async () => {
      build({}, false);
      await service.findTeam(KEY);
      await recorder.flush();
      expect(repository.recorded).toEqual([]);
    });

    it('does not fail the request or the flush when the write fails', async () => {
      await service.findTeam(KEY);
      repository.failure = new Error('read-only');
      await expect(recorder.flush()).resolves.toBeUndefined();
    });
  });
});
