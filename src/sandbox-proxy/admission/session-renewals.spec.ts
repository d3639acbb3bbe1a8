import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeSessions, sessionOf } from '../../../test/kit/admission-fakes.js';
import type { Session } from '../contracts/session-store.js';
import { kept, type KeptSession, SessionRenewals } from './session-renewals.js';

const TTL_MS = 100_000;
const START = new Date('2026-12-01T00:00:00Z').getTime();

let store: FakeSessions;
let failures: unknown[];
let renewals: SessionRenewals;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  store = new FakeSessions();
  failures = [];
  renewals = new SessionRenewals(store, (error) => failures.push(error));
});
afterEach(() => {
  vi.useRealTimers();
});

/** A session that begins now and may last for an hour. */
function session(number = 1, more: Partial<Session> = {}): KeptSession {
  const renewal = { ttlMs: TTL_MS, untilMs: START + 3_600_000 };
  return kept({ ...sessionOf(number), expiresAtMs: Date.now() + TTL_MS, renewal, ...more });
}

/** What the sessions have left, once they are used and what was collected is renewed. */
async function leftAfterUse(...sessions: KeptSession[]): Promise<number[]> {
  for (const each of sessions) renewals.note(each);
  await vi.advanceTimersByTimeAsync(1_000);
  return sessions.map(({ expiresAtMs }) => expiresAtMs - Date.now());
}

describe('a session that is used', () => {
  it('is renewed once a quarter of its time has gone by, and not before', async () => {
    const used = session();
    await vi.advanceTimersByTimeAsync(24_999);
    renewals.note(used);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.renewed).toEqual([]);
    expect(await leftAfterUse(session())).toEqual([TTL_MS - 1_000]);
    expect(store.renewed).toEqual([]);
    expect(await leftAfterUse(used)).toEqual([TTL_MS]);
    expect(store.renewed).toEqual([['session-1']]);
  });

  it('is asked for once, however often it is used meanwhile', async () => {
    const used = session();
    await vi.advanceTimersByTimeAsync(30_000);
    for (let i = 0; i < 10; i += 1) renewals.note(used);
    await leftAfterUse(used);
    await leftAfterUse(used);
    expect(store.renewed).toEqual([['session-1']]);
  });

  it('is renewed together with the others of that second, 500 at a time', async () => {
    const many = Array.from({ length: 1_200 }, (_, number) => session(number));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(new Set(await leftAfterUse(...many))).toEqual(new Set([TTL_MS]));
    expect(store.renewed.map(({ length }) => length)).toEqual([500, 500, 200]);
  });

  it('is left for its next use where 10,000 wait', async () => {
    const many = Array.from({ length: 10_001 }, (_, number) => session(number));
    await vi.advanceTimersByTimeAsync(30_000);
    const last = many.at(-1) as KeptSession;
    const before = last.expiresAtMs;
    await leftAfterUse(...many);
    expect(last.expiresAtMs).toBe(before);
    expect(await leftAfterUse(last)).toEqual([TTL_MS]);
  });

  it('is not asked for where its bound is reached, or its use does not prolong it', async () => {
    const bound = session(1, {
      expiresAtMs: START + 50_000,
      renewal: { ttlMs: TTL_MS, untilMs: START + 50_000 },
    });
    const fixed = kept(sessionOf(2));
    await vi.advanceTimersByTimeAsync(49_000);
    await leftAfterUse(bound, fixed);
    expect(store.renewed).toEqual([]);
  });

  it('that has ended keeps its end, and is asked for no more', async () => {
    const used = session();
    store.isRenewing = false;
    await vi.advanceTimersByTimeAsync(30_000);
    for (let i = 0; i < 20; i += 1) await leftAfterUse(used);
    expect(used.expiresAtMs).toBe(START + TTL_MS);
    expect(store.renewed).toHaveLength(1);
  });

  it('is asked for again a little later where the store has failed, and keeps its end until then', async () => {
    const used = session();
    store.failure = new Error('lost');
    await vi.advanceTimersByTimeAsync(30_000);
    await leftAfterUse(used);
    expect([used.expiresAtMs, failures]).toEqual([START + TTL_MS, [store.failure]]);
    store.failure = null;
    for (let i = 0; i < 7; i += 1) await leftAfterUse(used);
    expect(store.renewed).toHaveLength(2);
    expect(used.expiresAtMs).toBeGreaterThan(START + TTL_MS);
  });

  it.each<[string, unknown]>([
    ['no list', undefined],
    ['too few', []],
    ['something that is no time', [Number.NaN]],
    ['true', [true]],
  ])('keeps its end where the store answers %s', async (_what, answer) => {
    const used = session();
    store.insteadOfEnds = answer;
    await vi.advanceTimersByTimeAsync(30_000);
    await leftAfterUse(used);
    expect(used.expiresAtMs).toBe(START + TTL_MS);
    expect(failures).toHaveLength(1);
  });
});
