import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeApiKeys, keyOf } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import type { Change } from '../contracts/changes.js';
import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../options.js';
import { ApiKeyService, changeOfKey } from './api-key.service.js';

const KEY = keyOf(1);
const DIGEST = 'digest of 1';
const ADMITTED = { teamId: 'team-a', keyId: 'key-a', digest: DIGEST };
const OWN: Change = { kind: 'credential', scheme: 'api-key', subject: DIGEST };

const log = collectNestLog();
let feed: FakeFeed;
let store: FakeApiKeys;
let service: ApiKeyService;

function start(options: Partial<SandboxProxyOptions> = {}): void {
  service = new ApiKeyService(store, feed, { ...SANDBOX_PROXY_DEFAULTS, apiKeyCacheMax: 100, ...options });
}

beforeEach(() => {
  vi.useFakeTimers();
  feed = new FakeFeed();
  store = new FakeApiKeys();
  store.rows.set(DIGEST, { teamId: 'team-a', keyId: 'key-a' });
  start();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an API key', () => {
  it('is answered without a promise once it is known', async () => {
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
    expect(store.asked).toEqual([DIGEST]);
  });

  it('is told apart from another one, in turn', async () => {
    const other = keyOf(2);
    store.rows.set('digest of 2', { teamId: 'team-b', keyId: 'key-b' });
    for (let i = 0; i < 2; i++) {
      expect(await service.findTeam(KEY)).toEqual(ADMITTED);
      expect(await service.findTeam(other)).toMatchObject({ teamId: 'team-b' });
    }
    expect(store.asked).toHaveLength(2);
  });

  it.each(['', 'wrn_', KEY.toUpperCase(), `${KEY}0`, ` ${KEY}`, `${KEY}\n`, `\n${KEY}`, 'sk_0123456789'])(
    'of another form is refused without a question: %j',
    async (key) => {
      expect([service.hasForm(key), service.findTeam(key)]).toEqual([false, null]);
      await service.findTeam(KEY);
      expect([service.hasForm(key), service.findTeam(key)]).toEqual([false, null]);
      expect(store.asked).toEqual([DIGEST]);
    },
  );

  it('has its form whether or not there is such a key', () => {
    expect([service.hasForm(KEY), service.hasForm(keyOf(2))]).toEqual([true, true]);
    expect(store.asked).toEqual([]);
  });

  it.each([/wrn_[0-9a-f]{32}/g, /wrn_[0-9a-f]{32}/y, /^wrn_[0-9a-f]{32}$/m, /tok_\w+|wrn_[0-9a-f]{32}/])(
    'is read whole, whatever the flags and alternatives of its pattern: %s',
    async (pattern) => {
      store.pattern = pattern;
      start();
      expect(await service.findTeam(KEY)).toEqual(ADMITTED);
      for (const key of [`x${KEY}`, `${KEY}x`, `${KEY}\n${KEY}`, `tok_1 ${KEY}`])
        expect([key, service.hasForm(key)]).toEqual([key, false]);
      for (let i = 0; i < 3; i++) expect(service.hasForm(keyOf(3))).toBe(true);
    },
  );

  it('is asked about once however many wait', async () => {
    const open = store.hold();
    const waiting = Array.from({ length: 100 }, () => service.findTeam(KEY));
    open();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([ADMITTED]));
    expect(store.asked).toHaveLength(1);
  });

  it.each([
    [119_999, 1],
    [120_000, 2],
  ])('after %i ms has been asked about %i times', async (elapsed, times) => {
    await service.findTeam(KEY);
    vi.advanceTimersByTime(elapsed);
    await service.findTeam(KEY);
    expect(store.asked).toHaveLength(times);
  });

  it('that is unknown is remembered for two seconds', async () => {
    store.rows.clear();
    expect(await service.findTeam(KEY)).toBeNull();
    vi.advanceTimersByTime(1_999);
    expect(service.findTeam(KEY)).toBeNull();
    store.rows.set(DIGEST, { teamId: 'team-a', keyId: 'key-a' });
    vi.advanceTimersByTime(1);
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('is trusted for five seconds while the feed is down, whenever it was asked about', async () => {
    await service.findTeam(KEY);
    vi.advanceTimersByTime(5_000);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
    feed.isLive = false;
    await service.findTeam(KEY);
    expect(store.asked).toHaveLength(2);
    vi.advanceTimersByTime(4_999);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('is kept however many unknown ones are tried', async () => {
    await service.findTeam(KEY);
    for (let i = 2; i < 10_002; i += 1) await service.findTeam(keyOf(i));
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('is not remembered with a time of 0', async () => {
    start({ apiKeyCacheTtlMs: 0 });
    await service.findTeam(KEY);
    await service.findTeam(KEY);
    expect(store.asked).toHaveLength(2);
  });
});

describe('a key that nobody has used yet', () => {
  const guess = (number: number, client = '10.0.0.1') =>
    Promise.resolve(service.findTeam(keyOf(1_000 + number), client));
  const guessMany = async (count: number, from = 0) => {
    const guesses = Array.from({ length: count }, (_, i) => guess(from + i));
    const outcomes = await Promise.allSettled(guesses);
    return outcomes.filter(({ status }) => status === 'rejected').length;
  };

  it('is looked up when it is the turn of its client network: 50 at a time', async () => {
    const open = store.hold();
    const guesses = Array.from({ length: 60 }, (_, i) => guess(i, `2001:db8::${i}`));
    expect(store.asked).toHaveLength(50);
    void guess(60, '10.0.0.2');
    expect(store.asked).toHaveLength(51);
    open();
    await Promise.all(guesses);
    expect(store.asked).toHaveLength(61);
  });

  it('is refused where it does not exist, after 200 of its client network, and then 10 a second', async () => {
    expect(await guessMany(250)).toBe(50);
    await expect(guess(300)).rejects.toThrow(TooManyLookupsError);
    expect(await guess(300, '10.0.0.2')).toBeNull();
    vi.advanceTimersByTime(1_000);
    expect(await guessMany(15, 400)).toBe(5);
  });

  it('counts as one however often it is shown while it is remembered', async () => {
    for (let i = 0; i < 1_000; i++) expect(await guess(0)).toBeNull();
    expect(await guessMany(200, 1)).toBe(1);
  });

  it('is admitted where it exists, whatever has come from its client network', async () => {
    await guessMany(250);
    expect(await service.findTeam(KEY, '10.0.0.1')).toEqual(ADMITTED);
  });

  it('waits for no turn from then on, not even when memory has forgotten it', async () => {
    await service.findTeam(KEY, '10.0.0.1');
    const open = store.hold();
    const guesses = Array.from({ length: 60 }, (_, i) => guess(i));
    expect(service.findTeam(KEY, '10.0.0.1')).toEqual(ADMITTED);
    vi.advanceTimersByTime(120_000);
    const again = service.findTeam(KEY, '10.0.0.1');
    expect(store.asked.at(-1)).toBe(DIGEST);
    open();
    expect(await again).toEqual(ADMITTED);
    await Promise.allSettled(guesses);
  });

  it('is looked up at once for a caller who says nothing of a client', () => {
    store.hold();
    for (let i = 0; i < 60; i++) void service.findTeam(keyOf(i + 100));
    expect(store.asked).toHaveLength(60);
  });
});

describe('a change', () => {
  it.each<[string, Change]>([
    ['of its key', OWN],
    ['of its team', { kind: 'team', teamId: 'team-a' }],
    ['of everything', { kind: 'everything' }],
  ])('%s makes it forgotten', async (_name, change) => {
    await service.findTeam(KEY);
    store.rows.clear();
    service.forget(change);
    expect(await service.findTeam(KEY)).toBeNull();
  });

  it.each<[string, Change]>([
    ['of another key', { ...OWN, subject: 'digest of 2' }],
    ['of another scheme', { ...OWN, scheme: 'session' }],
    ['of another team', { kind: 'team', teamId: 'team-b' }],
    ['of a sandbox', { kind: 'sandbox', sandboxId: 'x' }],
  ])('%s leaves it', async (_name, change) => {
    await service.findTeam(KEY);
    service.forget(change);
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('that a key was made is seen although it was unknown', async () => {
    store.rows.clear();
    await service.findTeam(KEY);
    store.rows.set(DIGEST, { teamId: 'team-a', keyId: 'key-a' });
    service.forget(OWN);
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it.each<[string, Change]>([
    ['of its key', OWN],
    ['of a team', { kind: 'team', teamId: 'team-a' }],
    ['of everything', { kind: 'everything' }],
  ])('%s: an answer that was under way is neither kept nor shared', async (_name, change) => {
    const open = store.hold();
    const early = service.findTeam(KEY);
    store.rows.clear();
    service.forget(change);
    const late = service.findTeam(KEY);
    open();
    expect(await early).toEqual(ADMITTED);
    expect(await late).toBeNull();
    expect(service.findTeam(KEY)).toBeNull();
    expect(store.asked).toHaveLength(2);
  });

  it('that a key rests on is named by its digest', () => {
    expect(changeOfKey(DIGEST)).toEqual(OWN);
  });
});

describe('a guard of a route', () => {
  /** A guard that asks, and the change that is told before its answer comes. */
  async function admitDuring(change: Change, meanwhile: () => void): Promise<unknown> {
    const open = store.hold();
    const admitting = service.admit(KEY);
    meanwhile();
    service.forget(change);
    open();
    return admitting;
  }

  it('admits by what is known', async () => {
    expect(await service.admit(KEY)).toEqual(ADMITTED);
    expect(await service.admit(keyOf(2))).toBeNull();
  });

  it.each<[string, Change]>([
    ['its key', OWN],
    ['its team', { kind: 'team', teamId: 'team-a' }],
    ['everything', { kind: 'everything' }],
  ])('does not admit by an answer that is older than a change of %s', async (_what, change) => {
    expect(await admitDuring(change, () => store.rows.clear())).toBeNull();
  });

  it('admits where the store says again that the key admits', async () => {
    expect(await admitDuring(OWN, () => undefined)).toEqual(ADMITTED);
  });

  it('asks nothing twice because of any other change', async () => {
    const change: Change = { kind: 'team', teamId: 'team-b' };
    expect(await admitDuring(change, () => store.rows.clear())).toEqual(ADMITTED);
  });

  it('does not admit where the store cannot say whether the key still does', async () => {
    store.stillHold = () => Promise.reject(new Error('away'));
    await expect(admitDuring(OWN, () => undefined)).rejects.toThrow(DirectoryUnavailableError);
  });
});

describe('a store of keys', () => {
  it('that fails is not available, and nothing is remembered', async () => {
    store.failure = new Error('connection refused');
    await expect(service.findTeam(KEY)).rejects.toThrow(DirectoryUnavailableError);
    store.failure = null;
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('that is gone does not matter to a key that is known', async () => {
    await service.findTeam(KEY);
    store.failure = new Error('connection refused');
    expect(service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it.each<[unknown]>([
    [undefined],
    [{}],
    [{ keyId: 'k' }],
    [{ teamId: 'team-a' }],
    [{ keyId: 1, teamId: 2 }],
    ['x'],
  ])('that answers %j has not answered', async (answer) => {
    store.instead = answer;
    await expect(service.findTeam(KEY)).rejects.toThrow(DirectoryUnavailableError);
  });

  it('is told of every request that a key has let in, and of no other', async () => {
    for (const key of [KEY, keyOf(2), KEY, 'junk']) await service.findTeam(key);
    expect(store.used).toEqual(['key-a', 'key-a']);
  });

  it('need not be told', async () => {
    delete store.noteUse;
    expect(await service.findTeam(KEY)).toEqual(ADMITTED);
  });

  it('lets keys in when it cannot note their use, and says so once a second', async () => {
    await service.findTeam(KEY);
    store.noteUse = () => Promise.reject(new Error('down'));
    for (let i = 0; i < 250; i += 1) {
      expect(service.findTeam(KEY)).toEqual(ADMITTED);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(log.lines).toHaveLength(3);
  });

  it('is asked past every memory whether keys still hold', async () => {
    const admitted = await service.findTeam(KEY);
    store.rows.clear();
    expect(await service.stillHold([ADMITTED])).toEqual([false]);
    expect(service.findTeam(KEY)).toEqual(admitted);
  });
});
