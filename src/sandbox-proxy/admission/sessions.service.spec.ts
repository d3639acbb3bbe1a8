import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSessions, sessionOf, SESSION_PLACE as PLACE } from '../../../test/kit/admission-fakes.js';
import { FakeFeed } from '../../../test/kit/answer-fakes.js';
import type { Change } from '../contracts/changes.js';
import type { BegunSession, EndedSession, Session, SessionRenewal } from '../contracts/session-store.js';
import { DirectoryUnavailableError, LimitExceededError, TooManyLookupsError } from '../errors.js';
import { SessionsService } from './sessions.service.js';
import { StrangerBudget } from './stranger-budget.js';

const CLIENT = '192.0.2.1';
const TOKEN = 'wrs_1';

let feed: FakeFeed;
let store: FakeSessions;
let service: SessionsService;

beforeEach(() => {
  vi.useFakeTimers();
  feed = new FakeFeed();
  store = new FakeSessions();
  store.sessions.set(TOKEN, sessionOf(1));
  service = new SessionsService(store, feed, new StrangerBudget());
});
afterEach(() => {
  vi.useRealTimers();
});

/** The session of a token; what is thrown at once as a rejection. */
async function find(token = TOKEN, place = PLACE, client = CLIENT): Promise<Session | EndedSession | null> {
  return service.find(token, place, client);
}

async function begin(
  token = 'wrl_1',
  client = CLIENT,
  isConfirmed = false,
): Promise<BegunSession | EndedSession | 'confirm' | null> {
  return service.begin(token, PLACE, client, isConfirmed);
}

describe('a session', () => {
  it('is found without a promise once it is known', async () => {
    expect(await find()).toMatchObject(sessionOf(1));
    expect(service.find(TOKEN, PLACE, CLIENT)).toMatchObject(sessionOf(1));
    expect(store.asked).toBe(1);
  });

  it('is looked up for the place at which it is used, and good nowhere else', async () => {
    await find();
    for (const place of [
      { ...PLACE, port: 81 },
      { ...PLACE, sandboxId: 'cl-y' },
    ])
      expect(await find(TOKEN, place)).toBeNull();
    expect(store.asked).toBe(3);
  });

  it('is no good where the store gives one of another place', async () => {
    store.sessions.set(TOKEN, { ...sessionOf(1), port: 81 });
    store.isCareless = true;
    expect(await find()).toBeNull();
  });

  it('ends when its time is over, also in memory', async () => {
    store.sessions.set(TOKEN, { ...sessionOf(1), expiresAtMs: Date.now() + 10_000 });
    expect(await find()).not.toBeNull();
    vi.advanceTimersByTime(9_999);
    expect(await find()).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(await find()).toEqual({ ended: 'expired' });
    expect(store.asked).toBe(1);
  });

  // A cookie may be as long as a request's head, and be kept in memory by its text.
  it.each(['', 'junk', `x${TOKEN}`, `${TOKEN} `, `${TOKEN}\n`, `${TOKEN}${'x'.repeat(99)}`])(
    'is not looked for by a text of another form: %j',
    async (token) => {
      expect(await find(token)).toBeNull();
      expect(await begin(token)).toBeNull();
      expect([store.asked, store.begun]).toEqual([0, 0]);
    },
  );

  it('is found every time, also where the pattern of its store remembers where it was', async () => {
    store.pattern = /wr[ls]_\d+/g;
    service = new SessionsService(store, feed, new StrangerBudget());
    for (let i = 0; i < 4; i++) expect(await find()).not.toBeNull();
  });

  it.each<[string, Change, boolean]>([
    ['its session', { kind: 'credential', scheme: 'session', subject: 'session-1' }, true],
    ['its link', { kind: 'credential', scheme: 'session', subject: 'link-1' }, true],
    ['its sandbox', { kind: 'sandbox', sandboxId: 'cl-x' }, true],
    ['its team', { kind: 'team', teamId: 'team-a' }, true],
    ['everything', { kind: 'everything' }, true],
    ['another link', { kind: 'credential', scheme: 'session', subject: 'link-2' }, false],
    ['a key of that name', { kind: 'credential', scheme: 'api-key', subject: 'link-1' }, false],
    ['another sandbox', { kind: 'sandbox', sandboxId: 'cl-y' }, false],
  ])('is asked about again after a change of %s', async (_what, change, isForgotten) => {
    await find();
    service.forget(change);
    await find();
    expect(store.asked).toBe(isForgotten ? 2 : 1);
  });

  it('that is unknown is asked about again after a change of its sandbox', async () => {
    expect(await find('wrs_2')).toBeNull();
    store.sessions.set('wrs_2', sessionOf(2));
    service.forget({ kind: 'sandbox', sandboxId: 'cl-x' });
    expect(await find('wrs_2')).toMatchObject(sessionOf(2));
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['another shape', { sessionId: 'x' }],
    ['no end', { ...sessionOf(1), expiresAtMs: null }],
    ['an end that is no time', { ...sessionOf(1), expiresAtMs: Number.NaN }],
    ['no list of origins', { ...sessionOf(1), allowedOrigins: 'https://a.example' }],
  ])('is neither good nor unknown where the store answers %s', async (_what, answer) => {
    store.instead = answer;
    await expect(find()).rejects.toThrow(DirectoryUnavailableError);
    store.instead = null;
    expect(await find()).toMatchObject(sessionOf(1));
  });

  it('is not looked for by whoever has asked for too many that do not exist; others go on', async () => {
    await find();
    for (let i = 0; i < 500; i++) await find(`wrs_${1_000 + i}`, PLACE, '192.0.2.9');
    await expect(find('wrs_2', PLACE, '192.0.2.9')).rejects.toThrow(TooManyLookupsError);
    expect(await find(TOKEN, PLACE, '192.0.2.9')).toMatchObject(sessionOf(1));
    expect(await find('wrs_2')).toBeNull();
  });
});

// A flood from one address locked out the guests behind the same NAT whenever memory forgot them: 5 s without a feed.
describe('a session that has been shown to be one, where its address has used up its budget', () => {
  const SANDBOX: Change = { kind: 'sandbox', sandboxId: 'cl-x' };
  async function flood(): Promise<void> {
    for (let i = 0; i < 500; i++) await find(`wrs_${1_000 + i}`);
    await expect(find('wrs_2')).rejects.toThrow(TooManyLookupsError);
  }

  it('is asked about again whenever memory has forgotten it, and costs nothing', async () => {
    await find();
    await flood();
    for (let i = 0; i < 3; i++) {
      service.forget(SANDBOX);
      expect(await find()).toMatchObject(sessionOf(1));
    }
    await expect(find('wrs_2')).rejects.toThrow(TooManyLookupsError);
  });

  it('may have been shown so by the exchange of its link', async () => {
    store.links.set('wrl_1', { token: TOKEN, embed: false, expiresAtMs: 9e15 });
    await begin();
    await flood();
    expect(await find()).toMatchObject(sessionOf(1));
  });

  it("is a stranger's at another place, and after its end", async () => {
    await find();
    await flood();
    await expect(find(TOKEN, { ...PLACE, port: 81 })).rejects.toThrow(TooManyLookupsError);
    store.sessions.clear();
    service.forget(SANDBOX);
    expect(await find()).toBeNull();
    service.forget(SANDBOX);
    await expect(find()).rejects.toThrow(TooManyLookupsError);
  });
});

describe('a link', () => {
  it('is exchanged for a session by the store alone, each time', async () => {
    store.links.set('wrl_1', { token: 'wrs_7', embed: true, expiresAtMs: 9e15 });
    for (let i = 0; i < 2; i++)
      expect(await begin()).toEqual({ token: 'wrs_7', embed: true, expiresAtMs: 9e15 });
    expect(store.begun).toBe(2);
  });

  it('that is no good is null, and counts against whoever tried it', async () => {
    for (let i = 0; i < 500; i++) expect(await begin(`wrl_${i}`)).toBeNull();
    await expect(find('wrs_2')).rejects.toThrow(TooManyLookupsError);
    expect(await find('wrs_2', PLACE, '192.0.2.9')).toBeNull();
  });

  it('that is good waits where its address has used up its budget, and costs it nothing', async () => {
    store.links.set('wrl_1', { token: 'wrs_7', embed: true, expiresAtMs: 9e15 });
    for (let i = 0; i < 1_500; i++) await find(`wrs_${1_000 + i}`).catch(String);
    for (let i = 0; i < 3; i++) {
      const exchanged = begin();
      await vi.advanceTimersByTimeAsync(20);
      expect(await exchanged).toMatchObject({ token: 'wrs_7' });
    }
  });

  it('for one browser is exchanged once it has been confirmed, and not before', async () => {
    store.links.set('wrl_1', { token: 'wrs_7', embed: false, expiresAtMs: 9e15 });
    store.once.add('wrl_1');
    for (let i = 0; i < 600; i++) expect(await begin()).toBe('confirm');
    expect(await begin('wrl_1', CLIENT, true)).toMatchObject({ token: 'wrs_7' });
  });

  it('is not to be confirmed twice', async () => {
    store.instead = 'confirm';
    await expect(begin('wrl_1', CLIENT, true)).rejects.toThrow(DirectoryUnavailableError);
  });

  it('is known for that of a session where the store can tell', () => {
    expect(service.isBegunBy('wrl_1', sessionOf(1))).toBe(true);
    expect(service.isBegunBy('wrl_2', sessionOf(1))).toBe(false);
    Object.assign(store, { linkIdOf: undefined });
    expect(service.isBegunBy('wrl_1', sessionOf(1))).toBe(false);
  });

  it('is told where the store has no room for another exchange', async () => {
    store.failure = new LimitExceededError('too many');
    await expect(begin()).rejects.toBe(store.failure);
  });

  it('is given 10 s', async () => {
    store.hold();
    const outcome = Promise.allSettled([begin()]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toEqual([{ status: 'rejected', reason: expect.any(DirectoryUnavailableError) }]);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['no token', { embed: false, expiresAtMs: 1 }],
    ['a token that would end its cookie', { token: 'a; Domain=example.com', embed: false, expiresAtMs: 1 }],
    ['a token that would end its header', { token: 'a\r\nX: y', embed: false, expiresAtMs: 1 }],
    ['an empty token', { token: '', embed: false, expiresAtMs: 1 }],
    ['no end', { token: 'a', embed: false, expiresAtMs: Infinity }],
  ])('begins no session where the store answers %s', async (_what, answer) => {
    store.instead = answer;
    await expect(begin()).rejects.toThrow(DirectoryUnavailableError);
  });
});

describe('a session that its use prolongs', () => {
  const untilMs = (): number => Date.now() + 3_600_000;
  const renewable = (): Session => ({
    ...sessionOf(1),
    expiresAtMs: Date.now() + 100_000,
    renewal: { ttlMs: 100_000, untilMs: untilMs() },
  });

  it('is prolonged by it in memory, without another question for it', async () => {
    store.sessions.set(TOKEN, renewable());
    for (let i = 0; i < 6; i += 1) {
      expect(await find()).toMatchObject({ sessionId: 'session-1' });
      await vi.advanceTimersByTimeAsync(18_000);
    }
    expect([store.asked, store.renewed.length]).toEqual([1, 2]);
  });

  it('is asked about again where another process may have prolonged it, and once only', async () => {
    store.sessions.set(TOKEN, renewable());
    await find();
    store.sessions.set(TOKEN, { ...renewable(), expiresAtMs: Date.now() + 110_000 });
    vi.advanceTimersByTime(105_000);
    expect(await find()).toMatchObject({ sessionId: 'session-1' });
    expect(store.asked).toBe(2);
    vi.advanceTimersByTime(5_000);
    store.ends.set(TOKEN, 'expired');
    for (let i = 0; i < 3; i += 1) expect(await find()).toEqual({ ended: 'expired' });
    expect(store.asked).toBe(3);
  });

  it('is not asked about after the bound', async () => {
    store.sessions.set(TOKEN, { ...renewable(), renewal: { ttlMs: 100_000, untilMs: Date.now() + 100_000 } });
    await find();
    vi.advanceTimersByTime(100_000);
    expect(await find()).toEqual({ ended: 'expired' });
    expect(store.asked).toBe(1);
  });

  it.each([{ ttlMs: 0, untilMs: 1 }, { ttlMs: 1 }, { untilMs: 1 }, 7, null])(
    'is not known where the store answers how as %j',
    async (renewal) => {
      store.sessions.set(TOKEN, { ...sessionOf(1), renewal: renewal as unknown as SessionRenewal });
      await expect(find()).rejects.toThrow(DirectoryUnavailableError);
    },
  );
});

describe('a session, or a link, that has ended', () => {
  it('is told of, and asked about again after 2 s at the earliest', async () => {
    store.ends.set(TOKEN, 'revoked');
    for (let i = 0; i < 3; i++) expect(await find()).toEqual({ ended: 'revoked' });
    expect(store.asked).toBe(1);
    vi.advanceTimersByTime(2_000);
    store.ends.clear();
    expect(await find()).toMatchObject(sessionOf(1));
  });

  it('is told of where the link is opened', async () => {
    store.ends.set('wrl_1', 'used');
    expect(await begin()).toEqual({ ended: 'used' });
  });

  it.each([{ ended: 'eaten' }, { ended: null }, { ended: ['expired'] }])(
    'is not known to have ended where the store answers %j',
    async (answer) => {
      store.instead = answer;
      await expect(find()).rejects.toThrow(DirectoryUnavailableError);
      await expect(begin()).rejects.toThrow(DirectoryUnavailableError);
    },
  );
});

describe('what is open by sessions', () => {
  it('is asked about past every memory', async () => {
    await find();
    store.sessions.clear();
    expect(await service.stillHold([sessionOf(1)])).toEqual([false]);
  });

  it('is not known to hold or to have ended where the store gives no list', async () => {
    store.insteadOfHolding = undefined;
    expect(await service.stillHold([sessionOf(1)])).toBeUndefined();
  });
});

describe('an application without sessions', () => {
  it('has none, and no links', async () => {
    service = new SessionsService(null, feed, new StrangerBudget());
    expect([service.pattern, await find(), await begin()]).toEqual([null, null, null]);
    expect(await service.stillHold([sessionOf(1)])).toEqual([false]);
    service.forget({ kind: 'everything' });
  });
});
