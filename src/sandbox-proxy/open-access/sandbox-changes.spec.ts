import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePorts } from '../../../test/kit/admission-fakes.js';
import { FakeFeed, Gate } from '../../../test/kit/answer-fakes.js';
import { collectNestLog } from '../../../test/kit/collecting-logger.js';
import { FakeMember, FakePlaces, FakeScheme } from '../../../test/kit/open-fakes.js';
import { AdmissionService } from '../admission/admission.service.js';
import { PortRulesService } from '../admission/port-rules.service.js';
import { StrangerBudget } from '../admission/stranger-budget.js';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import type { Change } from '../contracts/changes.js';
import type { Admission } from '../contracts/credential-scheme.js';
import type { SandboxLocation } from '../contracts/sandbox-directory.js';
import type { OpenGroup } from '../exchange/open-group.js';
import { SANDBOX_PROXY_DEFAULTS } from '../options.js';
import { MemorySandboxRouteCache } from '../routing/sandbox-route-cache.js';
import { SandboxResolverService } from '../routing/sandbox-resolver.service.js';
import { OpenAccess } from './open-access.js';
import { SandboxChanges } from './sandbox-changes.service.js';

const RUNNING: SandboxLocation = { status: 'running', address: '10.0.0.1:5000', hostId: 'host-1' };

/** Notes whose idle connections it was told to let go. */
class NotedPool extends HostClientPool {
  readonly evicted: string[] = [];
  override evict(sandboxId: string): void {
    this.evicted.push(sandboxId);
    super.evict(sandboxId);
  }
}

/** Notes how often everything open was walked through. */
class NotedAccess extends OpenAccess {
  walks = 0;
  override all(): readonly OpenGroup[] {
    this.walks += 1;
    return super.all();
  }
}

const log = collectNestLog();
let keys: FakeScheme;
let sessions: FakeScheme;
let publicPorts: FakeScheme;
let directory: FakePlaces;
let feed: FakeFeed;
let portSettings: FakePorts;
let ports: PortRulesService;
let resolver: SandboxResolverService;
let pool: NotedPool;
let access: NotedAccess;
let changes: SandboxChanges;

beforeEach(() => {
  vi.useFakeTimers();
  keys = new FakeScheme('api-key');
  sessions = new FakeScheme('session', 'session_ended');
  publicPorts = new FakeScheme('public-port');
  directory = new FakePlaces();
  feed = new FakeFeed();
  portSettings = new FakePorts();
  ports = new PortRulesService(portSettings, feed, new StrangerBudget());
  resolver = new SandboxResolverService(
    directory,
    new MemorySandboxRouteCache(10),
    feed,
    SANDBOX_PROXY_DEFAULTS,
  );
  pool = new NotedPool(SANDBOX_PROXY_DEFAULTS);
  access = new NotedAccess();
  const admission = new AdmissionService([keys, sessions, publicPorts]);
  changes = new SandboxChanges(admission, ports, resolver, pool, directory, feed, access);
  changes.onModuleInit();
});
afterEach(() => {
  changes.onApplicationShutdown();
  pool.onApplicationShutdown();
  vi.useRealTimers();
});

/** An answer that never comes. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** What may let somebody in at port 80 of the sandbox `cl-1` of `team-a`. */
const KINDS = {
  key: () => keys.admission('k1', 'team-a'),
  session: () => sessions.admission('s1', 'team-a'),
  'public port': () =>
    publicPorts.admission('', 'team-a', { restsOn: [{ kind: 'port', sandboxId: 'cl-1', port: 80 }] }),
} as const;
type Kind = keyof typeof KINDS;
const SCHEME_OF = { key: () => keys, session: () => sessions, 'public port': () => publicPorts } as const;

/** Opens something by that admission, which has just been asked for. */
function open(admission: Admission, sandboxId = 'cl-1', member = new FakeMember()): FakeMember {
  changes.opened(member, admission, sandboxId);
  // Changes told in the moment of the question count as told since then.
  vi.advanceTimersByTime(1);
  return member;
}

function revoke(kind: Kind): void {
  const scheme = SCHEME_OF[kind]();
  scheme.instead = async () => [false];
}

const SANDBOX: Change = { kind: 'sandbox', sandboxId: 'cl-1' };
const TEAM: Change = { kind: 'team', teamId: 'team-a' };
const HOST: Change = { kind: 'host', hostId: 'host-1' };
const PORT: Change = { kind: 'port', sandboxId: 'cl-1', port: 80 };
const KEY: Change = { kind: 'credential', scheme: 'api-key', subject: 'k1' };
const SESSION: Change = { kind: 'credential', scheme: 'session', subject: 's1' };
const EVERYTHING: Change = { kind: 'everything' };
const UNRELATED: Change[] = [
  { kind: 'sandbox', sandboxId: 'cl-2' },
  { kind: 'team', teamId: 'team-b' },
  { kind: 'host', hostId: 'host-2' },
  { kind: 'port', sandboxId: 'cl-1', port: 81 },
  { kind: 'port', sandboxId: 'cl-2', port: 80 },
  { kind: 'credential', scheme: 'api-key', subject: 'k2' },
  { kind: 'credential', scheme: 'session', subject: 'k1' },
];

describe('what is open is asked about again after a change', () => {
  it.each<[Kind, Change, boolean]>([
    ['key', KEY, true],
    ['key', SESSION, false],
    ['key', TEAM, true],
    ['key', PORT, false],
    ['key', SANDBOX, true],
    ['key', HOST, false],
    ['key', EVERYTHING, true],
    ['session', KEY, false],
    ['session', SESSION, true],
    ['session', TEAM, true],
    ['session', PORT, false],
    ['session', SANDBOX, true],
    ['session', HOST, false],
    ['session', EVERYTHING, true],
    ['public port', KEY, false],
    ['public port', SESSION, false],
    ['public port', TEAM, true],
    ['public port', PORT, true],
    ['public port', SANDBOX, true],
    ['public port', HOST, false],
    ['public port', EVERYTHING, true],
  ])('by %s, after %j: %s', async (kind, change, isAsked) => {
    const member = open(KINDS[kind]());
    await changes.apply(change);
    expect(SCHEME_OF[kind]().asked).toEqual(isAsked ? [1] : []);
    expect(directory.asked).toEqual(isAsked ? [['cl-1/team-a']] : []);
    expect(member.ending).toBeNull();
  });

  it.each(UNRELATED)('of something else: not at all (%j)', async (change) => {
    for (const kind of Object.values(KINDS)) open(kind());
    await changes.apply(change);
    expect([keys.asked, sessions.asked, publicPorts.asked, directory.asked]).toEqual([[], [], [], []]);
  });

  it('whoever tells of it: the feed, or the application itself', async () => {
    open(KINDS.key());
    feed.tell(KEY);
    await pass(0);
    expect(keys.asked).toEqual([1]);
  });

  it('only where something is open still', async () => {
    const member = open(KINDS.key());
    access.delete(member);
    await changes.apply(EVERYTHING);
    expect([keys.asked, directory.asked]).toEqual([[], []]);
  });
});

describe('what no longer holds is ended', () => {
  it.each<[Kind, Change, string]>([
    ['key', KEY, 'unauthorized 1008'],
    ['key', TEAM, 'unauthorized 1008'],
    ['key', EVERYTHING, 'unauthorized 1008'],
    ['session', SESSION, 'session_ended 1008'],
    ['session', SANDBOX, 'session_ended 1008'],
    ['public port', PORT, 'unauthorized 1008'],
  ])('by %s after %j: %s', async (kind, change, ending) => {
    const member = open(KINDS[kind]());
    revoke(kind);
    await changes.apply(change);
    expect(member.ending).toBe(ending);
    expect(access.size).toBe(0);
  });

  const PLACES: [string, SandboxLocation | null, string | null][] = [
    ['deleted, or given to another team', null, 'sandbox_not_found 1008'],
    ['paused', { ...RUNNING, status: 'paused' }, 'sandbox_not_running 1001'],
    [
      'stopped, and not asleep',
      { ...RUNNING, status: 'stopped', isAsleep: false },
      'sandbox_not_running 1001',
    ],
    ['asleep', { ...RUNNING, status: 'hibernated', isAsleep: true }, 'sandbox_not_running 1012'],
    ['moved to another host', { ...RUNNING, hostId: 'host-2' }, 'host_unavailable 1001'],
    ['moved to a host that has only an address', { ...RUNNING, hostId: null }, 'host_unavailable 1001'],
    ['on its host, which has another address now', { ...RUNNING, address: '10.9.9.9:1' }, null],
    ['where it was', RUNNING, null],
  ];
  it.each(
    PLACES.flatMap(([what, place, ending]) =>
      (['key', 'session', 'public port'] as const).map((kind) => [what, kind, place, ending] as const),
    ),
  )('where its sandbox is %s: by %s', async (_what, kind, place, ending) => {
    const member = open(KINDS[kind]());
    directory.places.set('cl-1/team-a', place);
    await changes.apply(SANDBOX);
    expect(member.ending).toBe(ending);
  });

  it('a sandbox that has moved by its address where its host has no id', async () => {
    const stays = open(KINDS.key(), 'cl-1', new FakeMember({ openAt: '10.0.0.1:5000' }));
    const moved = open(KINDS.key(), 'cl-1', new FakeMember({ openAt: '10.0.0.2:5000' }));
    directory.places.set('cl-1/team-a', { ...RUNNING, hostId: null });
    await changes.apply(SANDBOX);
    expect([stays.ending, moved.ending]).toEqual([null, 'host_unavailable 1001']);
  });

  it('where it is not known yet whither it leads: not as moved, but like the rest where there is nothing to lead to', async () => {
    const member = open(KINDS.key(), 'cl-1', new FakeMember({ openAt: null }));
    directory.places.set('cl-1/team-a', { ...RUNNING, hostId: 'host-2' });
    await changes.apply(SANDBOX);
    expect(member.ending).toBeNull();
    directory.places.set('cl-1/team-a', { ...RUNNING, status: 'paused' });
    await changes.apply(SANDBOX);
    expect(member.ending).toBe('sandbox_not_running 1001');
  });

  it('in the word of its sandbox where both are gone, and its scheme is not asked for nothing', async () => {
    const member = open(KINDS.session());
    revoke('session');
    directory.places.set('cl-1/team-a', { ...RUNNING, status: 'paused' });
    await changes.apply(SANDBOX);
    expect(member.ending).toBe('sandbox_not_running 1001');
    expect(sessions.asked).toEqual([]);
  });

  it('for the team that has lost the sandbox, and goes on for the one that has it', async () => {
    const old = open(KINDS.key());
    const owner = open(keys.admission('k9', 'team-b'));
    directory.places.set('cl-1/team-a', null);
    await changes.apply(SANDBOX);
    expect([old.ending, owner.ending]).toEqual(['sandbox_not_found 1008', null]);
  });

  it('and nothing beside it: one key, one sandbox', async () => {
    const [gone, otherKey, elsewhere] = [
      open(KINDS.key()),
      open(keys.admission('k2', 'team-a')),
      open(keys.admission('k2', 'team-a'), 'cl-2'),
    ];
    keys.revoked.add('k1');
    await changes.apply(EVERYTHING);
    expect([gone?.ending, otherKey?.ending, elsewhere?.ending]).toEqual(['unauthorized 1008', null, null]);
  });
});

describe('memory forgets a change before anything is asked', () => {
  it('in every scheme', async () => {
    open(KINDS.key());
    let forgottenFirst = false;
    keys.instead = async () => ((forgottenFirst = keys.forgotten.includes(KEY)), [true]);
    await changes.apply(KEY);
    expect(forgottenFirst).toBe(true);
    expect([sessions.forgotten, publicPorts.forgotten]).toEqual([[KEY], [KEY]]);
  });

  it('also where nothing is open: read your own writes', async () => {
    await resolver.resolve('cl-1', 'team-a');
    await ports.find('cl-1', 80, 'team-a');
    directory.places.set('cl-1/team-a', { ...RUNNING, hostId: 'host-2' });
    portSettings.rules.set('cl-1 80', { teamId: 'team-a', visibility: 'public', cors: 'app' });
    await changes.apply(SANDBOX);
    expect(await resolver.resolve('cl-1', 'team-a')).toMatchObject({ hostId: 'host-2' });
    expect(await ports.find('cl-1', 80, 'team-a')).toMatchObject({ visibility: 'public' });
  });

  it('and idle connections of a sandbox are let go, which may have moved; of no other', async () => {
    for (const change of [SANDBOX, TEAM, HOST, PORT, KEY, EVERYTHING]) await changes.apply(change);
    expect(pool.evicted).toEqual(['cl-1']);
  });
});

describe('questions', () => {
  it('are for 500 at a time at most', async () => {
    const members = Array.from({ length: 1_201 }, (_, i) =>
      open(keys.admission(`k${i}`, 'team-a'), `cl-${i}`),
    );
    keys.revoked.add('k1200');
    directory.places.set('cl-700/team-a', null);
    await changes.apply(EVERYTHING);
    expect(directory.asked.map(({ length }) => length)).toEqual([500, 500, 201]);
    expect(keys.asked).toEqual([500, 500, 200]);
    const ended = members.flatMap(({ ending }, i) => (ending === null ? [] : [[i, ending]]));
    expect(ended).toEqual([
      [700, 'sandbox_not_found 1008'],
      [1_200, 'unauthorized 1008'],
    ]);
  });

  it('are one for all that one admission has open, and one for all that leads to one sandbox', async () => {
    const admission = KINDS.key();
    for (let i = 0; i < 10; i++) open(admission);
    open(admission, 'cl-2');
    open(keys.admission('k2', 'team-a'));
    await changes.apply(EVERYTHING);
    expect(keys.asked).toEqual([2]);
    expect(directory.asked).toEqual([['cl-1/team-a', 'cl-2/team-a']]);
  });

  it('are about what has changed and nothing else, which is found without a walk through what is open', async () => {
    for (let i = 0; i < 10_000; i++) open(keys.admission(`k${i}`, `team-${i % 100}`), `cl-${i}`);
    access.walks = 0;
    await changes.apply({ kind: 'sandbox', sandboxId: 'cl-7777' });
    await changes.apply({ kind: 'credential', scheme: 'api-key', subject: 'k7777' });
    const place = ['cl-7777/team-77'];
    expect([keys.asked, directory.asked, access.walks]).toEqual([[1, 1], [place, place], 0]);
    await changes.apply({ kind: 'team', teamId: 'team-77' });
    expect([keys.asked.at(-1), access.walks]).toEqual([100, 0]);
  });

  it('do not end what has come after them: it has been asked for since', async () => {
    const admission = KINDS.key();
    const early = open(admission);
    const gate = new Gate();
    keys.instead = async () => {
      await gate.opened;
      return [false];
    };
    const applied = changes.apply(KEY);
    await pass(1);
    const late = open(admission);
    gate.open();
    await applied;
    expect([early.ending, late.ending]).toEqual(['unauthorized 1008', null]);
  });
});

describe('what nobody can say', () => {
  const FAILURES: [string, () => Promise<unknown>][] = [
    ['rejects', () => Promise.reject(new Error('away'))],
    [
      'throws',
      () => {
        throw new Error('away');
      },
    ],
    ['answers undefined', async () => undefined],
    ['answers a text', async () => 'yes'],
    ['answers too few', async () => []],
    ['answers too many', async () => [true, true]],
    ['answers other things', async () => ['yes']],
    ['leaves a hole', async () => [undefined]],
  ];

  it.each([...FAILURES, ['never answers', never] as const])(
    'for 5 s is ended where something may have changed and a store %s: the scheme, or the directory',
    async (_what, instead) => {
      for (const store of [keys, directory]) {
        const member = open(KINDS.key());
        store.instead = instead;
        const applied = changes.apply(EVERYTHING);
        await pass(4_999);
        expect(member.ending).toBeNull();
        await pass(1);
        expect(member.ending).toBe('directory_unavailable 1013');
        await applied;
        store.instead = null;
      }
    },
  );

  it.each(FAILURES)(
    'is ended at once where something has changed and a store %s: the scheme, or the directory',
    async (_what, instead) => {
      for (const change of [SANDBOX, TEAM, KEY]) {
        for (const store of [keys, directory]) {
          const member = open(KINDS.key());
          store.instead = instead;
          await changes.apply(change);
          expect(member.ending).toBe('directory_unavailable 1013');
          store.instead = null;
        }
      }
    },
  );

  it('is ended after 5 s where something has changed and a store never answers', async () => {
    const member = open(KINDS.key());
    keys.instead = never;
    const applied = changes.apply(KEY);
    await pass(4_999);
    expect(member.ending).toBeNull();
    await pass(1);
    expect(member.ending).toBe('directory_unavailable 1013');
    await applied;
  });

  it('is asked about again, and goes on where the store comes back', async () => {
    const member = open(KINDS.key());
    keys.instead = () => Promise.reject(new Error('away'));
    const applied = changes.apply(EVERYTHING);
    await pass(2_500);
    keys.instead = null;
    await pass(1_000);
    await applied;
    expect(member.ending).toBeNull();
    expect(log.lines[0]).toBe('warn: what is open could not be checked (Error: away)');
    await pass(10_000);
    expect(member.ending).toBeNull();
  });

  it('is what that store has let in, and not what another one has: a change of everything', async () => {
    const [byKey, bySession] = [open(KINDS.key()), open(KINDS.session())];
    sessions.instead = never;
    const applied = changes.apply(EVERYTHING);
    await pass(5_000);
    await applied;
    expect([byKey.ending, bySession.ending]).toEqual([null, 'directory_unavailable 1013']);
  });

  it('is what could not be asked about, and not what could', async () => {
    const members = Array.from({ length: 600 }, (_, i) => open(keys.admission(`k${i}`, 'team-a'), `cl-${i}`));
    let questions = 0;
    directory.instead = async () => {
      questions += 1;
      if (questions > 1) throw new Error('away');
      return Array.from({ length: 500 }, () => RUNNING);
    };
    const applied = changes.apply(EVERYTHING);
    await pass(5_000);
    await applied;
    const endings = members.map(({ ending }) => ending);
    expect(new Set(endings.slice(0, 500))).toEqual(new Set([null]));
    expect(new Set(endings.slice(500))).toEqual(new Set(['directory_unavailable 1013']));
    // Whoever has been answered is not asked about again.
    expect(keys.asked).toEqual([500, 100]);
    expect(directory.asked.slice(1).every(({ length }) => length === 100)).toBe(true);
  });

  it('is not what has come since', async () => {
    open(KINDS.key());
    keys.instead = never;
    const applied = changes.apply(KEY);
    await pass(1_000);
    const late = open(KINDS.key());
    await pass(5_000);
    await applied;
    expect(late.ending).toBeNull();
  });

  it('leaves no timer behind once it is answered', async () => {
    const before = vi.getTimerCount();
    for (let i = 0; i < 100; i++) {
      open(KINDS.key());
      await changes.apply(EVERYTHING);
    }
    expect(vi.getTimerCount()).toBe(before);
  });
});

describe('without a live feed', () => {
  beforeEach(() => {
    feed.isLive = false;
  });

  it('everything open is asked about every 3 to 5 s', async () => {
    const member = open(KINDS.key());
    const askedAtMs: number[] = [];
    keys.instead = async () => {
      askedAtMs.push(Date.now());
      return [true];
    };
    let lastMs = Date.now();
    await pass(60_000);
    expect(askedAtMs.length).toBeGreaterThanOrEqual(12);
    for (const atMs of askedAtMs) {
      expect(atMs - lastMs).toBeGreaterThanOrEqual(2_900);
      expect(atMs - lastMs).toBeLessThanOrEqual(5_000);
      lastMs = atMs;
    }
    expect(directory.asked.length).toBe(askedAtMs.length);
    revoke('key');
    await pass(5_000);
    expect(member.ending).toBe('unauthorized 1008');
  });

  it('everything open is asked about 3 to 5 s after the feed has last proved itself', async () => {
    open(KINDS.key());
    for (let i = 0; i < 10; i++) {
      feed.provenAtMs = Date.now();
      await pass(2_000);
    }
    expect(keys.asked).toEqual([]);
    await pass(3_000);
    expect(keys.asked).toEqual([1]);
  });

  it('no second check is begun while one waits for an answer', async () => {
    open(KINDS.key());
    keys.instead = never;
    await pass(8_000);
    expect(keys.asked).toEqual([1]);
  });

  it('everything open is asked about although the clock was set back', async () => {
    open(KINDS.key());
    feed.provenAtMs = Date.now();
    vi.setSystemTime(Date.now() - 3_600_000);
    await pass(5_000);
    const { length } = keys.asked;
    expect(length).toBeGreaterThan(0);
    await pass(5_000);
    expect(keys.asked.length).toBeGreaterThan(length);
  });

  it('and with one nothing is asked about that nothing is told of', async () => {
    feed.isLive = true;
    open(KINDS.key());
    await pass(600_000);
    expect(keys.asked).toEqual([]);
  });
});

describe('what ends by itself', () => {
  it('is ended within a second of its time', async () => {
    const inTenSeconds = { expiresAtMs: Date.now() + 10_000 };
    const member = open(sessions.admission('s1', 'team-a', inTenSeconds));
    const other = open(sessions.admission('s2', 'team-a', { expiresAtMs: Date.now() + 60_000 }));
    await pass(9_500);
    expect(member.ending).toBeNull();
    await pass(1_000);
    expect([member.ending, other.ending]).toEqual(['session_ended 1008', null]);
    expect(member.wasCut).toMatchObject({ logCode: 'expired', close: { reason: 'access has expired' } });
  });

  // A session whose WebSocket was all that its visitor used ended in the middle of it.
  it('is in use for as long as something is open by it, and goes on if that moves its end', async () => {
    const admission = { ...sessions.admission('s1', 'team-a'), expiresAtMs: Date.now() + 10_000 };
    const member = open(admission);
    const endless = open(sessions.admission('s2', 'team-a'));
    await pass(3_000);
    expect(sessions.used).toEqual([admission, admission, admission]);
    admission.expiresAtMs += 10_000;
    await pass(12_000);
    expect([member.ending, endless.ending]).toEqual([null, null]);
    member.group?.delete(member);
    const { length } = sessions.used;
    await pass(2_000);
    expect(sessions.used).toHaveLength(length);
  });

  it('is told apart from what was revoked', async () => {
    const member = open(KINDS.session());
    revoke('session');
    await changes.apply(SESSION);
    expect(member.wasCut?.error.message).toContain('has been revoked');
    const expired = open(sessions.admission('s2', 'team-a', { expiresAtMs: Date.now() }));
    await pass(1_000);
    expect(expired.wasCut?.error.message).toContain('has expired');
  });
});

describe('news that comes late', () => {
  // A feed tells of new rows too, and may do so after the first request that they let in.
  it('of something new ends nothing', async () => {
    const members = Object.values(KINDS).map((admission) => open(admission()));
    for (const change of [SANDBOX, TEAM, HOST, PORT, KEY, SESSION, EVERYTHING]) await changes.apply(change);
    expect(members.map(({ ending }) => ending)).toEqual([null, null, null]);
  });

  it.each<[Change, boolean]>([
    [KEY, true],
    [TEAM, true],
    [SANDBOX, true],
    [EVERYTHING, true],
    [SESSION, false],
    [PORT, false],
    ...UNRELATED.map((change): [Change, boolean] => [change, false]),
  ])(
    '%j while somebody was being admitted: the admission is asked about again: %s',
    async (change, isAsked) => {
      const sinceMs = performance.now();
      await pass(10);
      await changes.apply(change);
      await pass(10);
      const member = new FakeMember();
      keys.revoked.add('k1');
      changes.opened(member, KINDS.key(), 'cl-1');
      await changes.recheckIfChanged(member, sinceMs);
      expect(member.ending).toBe(isAsked ? 'unauthorized 1008' : null);
    },
  );

  it('from before somebody asked to be admitted is in the answer', async () => {
    for (const change of [KEY, TEAM, SANDBOX, EVERYTHING]) await changes.apply(change);
    await pass(10);
    open(KINDS.key());
    await pass(0);
    expect(keys.asked).toEqual([]);
  });

  it('holds although 10,000 other changes have followed it', async () => {
    const sinceMs = performance.now();
    await changes.apply(SANDBOX);
    for (let i = 0; i < 10_000; i++) await changes.apply({ kind: 'host', hostId: `h${i}` });
    directory.places.set('cl-1/team-a', null);
    const member = new FakeMember();
    changes.opened(member, KINDS.key(), 'cl-1');
    await changes.recheckIfChanged(member, sinceMs);
    expect(member.ending).toBe('sandbox_not_found 1008');
  });

  it('while it was being asked where the sandbox is: it is asked again once that is known', async () => {
    const sinceMs = performance.now();
    const member = new FakeMember({ openAt: null });
    changes.opened(member, KINDS.key(), 'cl-1');
    await pass(10);
    directory.places.set('cl-1/team-a', { ...RUNNING, hostId: 'host-2' });
    await changes.apply(SANDBOX);
    // The answer to a question from before the change.
    member.openAt = 'host-1';
    await changes.recheckIfChanged(member, sinceMs);
    expect(member.ending).toBe('host_unavailable 1001');
  });

  // 1,000 requests that waited for one look-up were 2,000 questions
  it('is asked about once for all that one admission was letting into one sandbox', async () => {
    const sinceMs = performance.now();
    await changes.apply(SANDBOX);
    const admission = KINDS.key();
    const members = Array.from({ length: 100 }, () => open(admission));
    keys.revoked.add('k1');
    await Promise.all(members.map((member) => changes.recheckIfChanged(member, sinceMs)));
    expect([keys.asked, directory.asked]).toEqual([[1], [['cl-1/team-a']]]);
    expect(new Set(members.map(({ ending }) => ending))).toEqual(new Set(['unauthorized 1008']));
  });

  it('is asked about once more for all that come while it is being asked about', async () => {
    const sinceMs = performance.now();
    await changes.apply(SANDBOX);
    const admission = KINDS.key();
    const gate = new Gate();
    directory.instead = async () => {
      await gate.opened;
      return [RUNNING];
    };
    const come = () => {
      const member = open(admission);
      return { member, settled: changes.recheckIfChanged(member, sinceMs) };
    };
    const early = come();
    await pass(1);
    const late = [come(), come(), come()];
    await pass(1);
    expect(directory.asked).toHaveLength(1);
    directory.places.set('cl-1/team-a', null);
    gate.open();
    await pass(0);
    directory.instead = null;
    await Promise.all([early, ...late].map(({ settled }) => settled));
    expect(directory.asked).toHaveLength(2);
  });

  it('is not asked about for what has been ended already', async () => {
    const sinceMs = performance.now();
    const member = new FakeMember();
    await changes.apply(SANDBOX);
    await changes.recheckIfChanged(member, sinceMs);
    expect(directory.asked).toEqual([]);
  });
});

describe('a change that is told', () => {
  it.each<[unknown]>([
    [undefined],
    [null],
    ['sandbox'],
    [{}],
    [{ kind: 'sandboxes', sandboxId: 'cl-1' }],
    [{ kind: 'constructor' }],
    [{ kind: 'sandbox' }],
    [{ kind: 'team', teamId: 7 }],
    [{ kind: 'port', sandboxId: 'cl-1', port: '80' }],
    [{ kind: 'credential', scheme: 'api-key' }],
  ])(
    'as %j says that something has changed: everything is asked about, and nothing is thrown',
    async (told) => {
      const member = open(KINDS.key());
      keys.revoked.add('k1');
      await changes.apply(told as Change);
      expect(member.ending).toBe('unauthorized 1008');
      expect(keys.forgotten[0]).toEqual(EVERYTHING);
      expect(log.lines[0]).toBe(
        'error: something told as a change is not one; it counts as a change of everything',
      );
    },
  );

  it('once the application has shut down is heard by nobody, and no timer goes on', async () => {
    pool.onApplicationShutdown();
    changes.onApplicationShutdown();
    expect([feed.listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});

describe('what is open', () => {
  it('is counted, and forgotten once it is over', async () => {
    const admission = KINDS.key();
    const members = [open(admission), open(admission), open(admission, 'cl-2')];
    expect(access.size).toBe(3);
    for (const member of members) access.delete(member);
    await pass(1_000);
    expect([access.size, access.all(), access['byTopic'].size]).toEqual([0, [], 0]);
    const again = open(admission);
    revoke('key');
    await changes.apply(KEY);
    expect(again.ending).toBe('unauthorized 1008');
  });
});
