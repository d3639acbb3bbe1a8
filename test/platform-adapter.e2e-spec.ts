import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LastUsedRecorder } from '../src/platform/api-keys/last-used.recorder.js';
import { dataSourceOptions } from '../src/platform/database/data-source.js';
import { generateApiKey, hashApiKey } from '../src/platform/identifiers/api-key.js';
import { decodeId, encodeId } from '../src/platform/identifiers/resource-id.js';
import { newToken, type TokenPurpose } from '../src/platform/links/access-token.js';
import { SessionRepository } from '../src/platform/links/session.repository.js';
import { AccessTables } from '../src/platform/database/access-tables.js';
import { PlatformApiKeyStore } from '../src/platform/proxy-adapter/platform-api-keys.js';
import { PlatformSandboxDirectory } from '../src/platform/proxy-adapter/platform-directory.js';
import { PlatformPortSettings } from '../src/platform/proxy-adapter/platform-port-settings.js';
import { PlatformSessionStore } from '../src/platform/proxy-adapter/platform-sessions.js';
import type { BegunSession, EndedSession, Session, SessionPlace } from '../src/sandbox-proxy/index.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './kit/platform-rows.js';

const NOWHERE = encodeId('cl', '00000000-0000-4000-8000-000000000000');
/** Texts that may be asked for and are no ids of ours. */
const MALFORMED = ['', 'cl-', 'vm-1', `cl-${'z'.repeat(25)}`, "'; DROP TABLE teams; --"];

let db: TestDatabase;
let dataSource: DataSource;
/** Statements that the adapters have sent since the last look. */
let asked = 0;
let rows: PlatformRows;
let [teamA, teamB]: TeamRow[] = [];
let hostId: string;
let sandbox: SandboxRow;

beforeAll(async () => {
  db = await createTestDatabase();
  dataSource = await openCounting(db.url);
  rows = new PlatformRows(db);
  [teamA, teamB] = [await rows.team(), await rows.team()];
});
afterAll(async () => {
  await dataSource.destroy();
  await db.drop();
});
beforeEach(async () => {
  hostId = await rows.host('10.0.0.7:9000');
  sandbox = await rows.sandbox(of(teamA).id, hostId);
  asked = 0;
});

async function openCounting(url: string): Promise<DataSource> {
  const opened = await new DataSource(dataSourceOptions(url)).initialize();
  const query = opened.query.bind(opened);
  opened.query = (...parameters) => {
    asked += 1;
    return query(...parameters);
  };
  return opened;
}

function of<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('not there yet');
  return value;
}

const team = (row: TeamRow | undefined): string => encodeId('team', of(row).id);

const directory = (): PlatformSandboxDirectory => new PlatformSandboxDirectory(dataSource);
const digest = (row: TeamRow | undefined): string => hashApiKey(of(row).key);

/** A link to port 80 of the sandbox; its id is public. */
async function link(once = false, expires = '1 hour'): Promise<{ id: string; token: string }> {
  const id = randomUUID();
  const { token, hash } = newToken('link', id, { sandboxId: sandbox.uuid, port: 80 });
  await db.query(
    `INSERT INTO sandbox_links (id, sandbox_id, port, token_hash, once, embed, allowed_origins, expires_at)
     VALUES ($1, $2, 80, $3, $4, true, '["https://a.example"]', now() + $5::interval)`,
    [id, sandbox.uuid, hash, once, expires],
  );
  return { id: encodeId('link', id), token };
}

describe('the directory of sandboxes', () => {
  it('says where a sandbox of the team is, by one query', async () => {
    expect(await directory().locate(sandbox.id, team(teamA))).toEqual({
      status: 'running',
      address: '10.0.0.7:9000',
      hostId: encodeId('host', hostId),
    });
    expect(asked).toBe(1);
  });

  it('knows no address of one that is on no host, or on one that is gone', async () => {
    const [nowhere, lost] = [
      await rows.sandbox(of(teamA).id, null, 'paused'),
      await rows.sandbox(of(teamA).id, randomUUID()),
    ];
    expect(await directory().locate(nowhere.id, team(teamA))).toEqual({
      status: 'paused',
      address: '',
      hostId: null,
    });
    expect(await directory().locate(lost.id, team(teamA))).toMatchObject({ address: '' });
  });

  it("knows neither another team's nor one that does not exist", async () => {
    expect(await directory().locate(sandbox.id, team(teamB))).toBeNull();
    expect(await directory().locate(NOWHERE, team(teamA))).toBeNull();
  });

  it('asks nobody about what is no id', async () => {
    for (const id of MALFORMED) {
      expect(await directory().locate(id, team(teamA))).toBeNull();
      expect(await directory().locate(sandbox.id, id)).toBeNull();
    }
    expect(asked).toBe(0);
  });

  it('answers many at once, in their order, by one query', async () => {
    const paused = await rows.sandbox(of(teamB).id, null, 'paused');
    const pairs = [
      { sandboxId: paused.id, teamId: team(teamB) },
      { sandboxId: sandbox.id, teamId: team(teamB) },
      ...MALFORMED.map((sandboxId) => ({ sandboxId, teamId: team(teamA) })),
      { sandboxId: sandbox.id, teamId: team(teamA) },
      { sandboxId: paused.id, teamId: 'team-x' },
      { sandboxId: sandbox.id, teamId: team(teamA) },
    ];
    const answers = await directory().locateMany(pairs);
    expect(answers.map((answer) => answer?.status ?? null)).toEqual([
      'paused',
      null,
      ...MALFORMED.map(() => null),
      'running',
      null,
      'running',
    ]);
    expect(answers.at(-1)).toEqual(await directory().locate(sandbox.id, team(teamA)));
    expect(asked).toBe(2);
  });

  it('answers 500 at once, and none', async () => {
    const pairs = Array.from({ length: 500 }, () => ({ sandboxId: sandbox.id, teamId: team(teamA) }));
    expect((await directory().locateMany(pairs)).filter((answer) => answer !== null)).toHaveLength(500);
    expect(await directory().locateMany([])).toEqual([]);
  });

  it('rejects where the database cannot say', async () => {
    const closed = await new DataSource(dataSourceOptions(db.url)).initialize();
    await closed.destroy();
    await expect(new PlatformSandboxDirectory(closed).locate(sandbox.id, team(teamA))).rejects.toThrow(Error);
  });
});

describe('the store of API keys', () => {
  let now = 0;
  let recorder: LastUsedRecorder;
  const store = (): PlatformApiKeyStore => new PlatformApiKeyStore(dataSource, recorder);

  beforeEach(() => {
    recorder = new LastUsedRecorder(dataSource, {
      isRecorded: true,
      clock: () => now,
    });
  });

  it('knows the form of keys, and their digest', () => {
    const key = generateApiKey();
    expect(new RegExp(`^${store().pattern.source}$`).test(key)).toBe(true);
    expect(store().digest(key)).toBe(hashApiKey(key));
  });

  it('says whom a digest admits, by one query', async () => {
    expect(await store().find(digest(teamA))).toEqual({
      keyId: encodeId('key', of(teamA).keyId),
      teamId: team(teamA),
    });
    expect(asked).toBe(1);
    expect(await store().find(hashApiKey(generateApiKey()))).toBeNull();
    expect(await store().find('no digest')).toBeNull();
  });

  it("admits nobody by a deleted team's key", async () => {
    const gone = await rows.team();
    await db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [gone.id]);
    expect(await store().find(digest(gone))).toBeNull();
  });

  it('says of many which still hold, in their order, by one query', async () => {
    const [deleted, gone] = [await rows.team(), await rows.team()];
    const inUse = (row: TeamRow | undefined, by = row) => ({
      digest: digest(row),
      keyId: encodeId('key', of(row).keyId),
      teamId: team(by),
    });
    const keys = [
      inUse(deleted),
      inUse(teamB),
      inUse(gone),
      inUse(teamA, teamB),
      { ...inUse(teamA), keyId: encodeId('key', of(teamB).keyId) },
      { ...inUse(teamA), digest: 'x' },
      { ...inUse(teamA), keyId: 'x' },
      inUse(teamA),
    ];
    await db.query('DELETE FROM team_api_keys WHERE id = $1', [deleted.keyId]);
    await db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [gone.id]);
    expect(await store().stillHold(keys)).toEqual([false, true, false, false, false, false, false, true]);
    expect(asked).toBe(1);
    expect(await store().stillHold([])).toEqual([]);
  });

  it('notes their use once a minute', async () => {
    const lastUsed = async () =>
      (
        await db.query<{ last_used: Date | null }>('SELECT last_used FROM team_api_keys WHERE id = $1', [
          of(teamA).keyId,
        ])
      )[0]?.last_used;
    store().noteUse(encodeId('key', of(teamA).keyId));
    await recorder.flush();
    expect(await lastUsed()).toBeInstanceOf(Date);
    expect(asked).toBe(1);
    now += 59_999;
    store().noteUse(encodeId('key', of(teamA).keyId));
    await recorder.flush();
    expect(asked).toBe(1);
  });
});

const place = (port = 80): SessionPlace => ({ sandboxId: sandbox.id, port });

describe('the store of sessions', () => {
  let tables: AccessTables;
  const store = (): PlatformSessionStore =>
    new PlatformSessionStore(new SessionRepository(dataSource), tables);

  beforeEach(async () => {
    tables = new AccessTables(dataSource);
    await tables.detect();
    asked = 0;
  });

  /** What comes of a link once it has been confirmed. */
  async function begin(token: string, at = place()): Promise<BegunSession | EndedSession | null> {
    const session = await store().begin(token, at, true);
    if (session === 'confirm') throw new Error('it has been confirmed');
    return session;
  }

  /** The token of a session that a link begins. */
  async function begun(by?: string): Promise<string> {
    const session = await begin(by ?? (await link()).token);
    if (session === null || 'ended' in session) throw new Error('no session');
    return session.token;
  }

  /** The session of a token that is good. */
  async function sessionOf(token: string): Promise<Session> {
    const session = await store().find(token, place());
    if (session === null || 'ended' in session) throw new Error('no session');
    return session;
  }

  it('exchanges a link for a session, and finds that by its token', async () => {
    const { id, token } = await link();
    const session = await begin(token);
    expect(session).toEqual({
      token: expect.stringMatching(/^wrs_/),
      embed: true,
      expiresAtMs: expect.any(Number),
    });
    asked = 0;
    const { token: sessionToken, expiresAtMs } = session as BegunSession;
    for (const text of [token, sessionToken])
      expect(new RegExp(`^${store().pattern.source}$`).test(text)).toBe(true);
    expect(await store().find(sessionToken, place())).toEqual({
      sessionId: expect.stringMatching(/^session-[0-9a-z]{25}$/),
      linkId: id,
      teamId: team(teamA),
      sandboxId: sandbox.id,
      port: 80,
      ports: [80],
      embed: true,
      allowedOrigins: ['https://a.example'],
      expiresAtMs,
    });
    expect(asked).toBe(1);
  });

  it('finds nothing at another place, by a link, by a changed token, or by a text that is none', async () => {
    const token = await begun();
    const other = await rows.sandbox(of(teamA).id, hostId);
    expect(await store().find(token, place(81))).toBeNull();
    expect(await store().find(token, { sandboxId: other.id, port: 80 })).toBeNull();
    expect(await store().find(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, place())).toBeNull();
    expect(await store().find((await link()).token, place())).toBeNull();
    asked = 0;
    for (const text of MALFORMED) {
      expect(await store().find(text, place())).toBeNull();
      expect(await store().find(token, { sandboxId: text, port: 80 })).toBeNull();
      expect(await begin(text)).toBeNull();
    }
    expect(asked).toBe(0);
  });

  it('begins none at another place, after the end, or a second one by a link for one', async () => {
    const { token } = await link(true);
    expect(await begin(token, place(81))).toBeNull();
    const tries = await Promise.all(Array.from({ length: 8 }, () => begin(token)));
    expect(tries.filter((session) => session !== null && 'token' in session)).toHaveLength(1);
    expect(tries.filter((session) => session !== null && 'ended' in session)).toHaveLength(7);
    expect(await begin(token)).toMatchObject({ ended: 'used' });
    expect(await begin((await link(false, '-1 second')).token)).toMatchObject({ ended: 'expired' });
  });

  it('begins none by a link that is revoked at the same moment', async () => {
    const { id, token } = await link();
    const revoker = new Client({ connectionString: db.url });
    await revoker.connect();
    await revoker.query('BEGIN');
    await revoker.query('UPDATE sandbox_links SET revoked_at = now() WHERE id = $1', [decodeId('link', id)]);
    const exchange = begin(token);
    const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => db.query(waits)).toHaveLength(1);
    await revoker.query('COMMIT');
    await revoker.end();
    expect(await exchange).toMatchObject({ ended: 'revoked' });
  });

  it('spends a link for one browser only once it has been confirmed', async () => {
    const { id, token } = await link(true);
    asked = 0;
    for (let i = 0; i < 3; i++) expect(await store().begin(token, place(), false)).toBe('confirm');
    expect(asked).toBe(3);
    expect(await store().begin(token, place(81), false)).toBeNull();
    expect(await begin(token)).toHaveProperty('token');
    expect(await store().begin(token, place(), false)).toMatchObject({ ended: 'used' });
    expect(await store().begin((await link()).token, place(), false)).toHaveProperty('token');
    expect([store().linkIdOf(token), store().linkIdOf('junk')]).toEqual([id, null]);
  });

  it('says of many which still hold, in their order, by one query', async () => {
    const tokens = [await begun(), await begun(), await begun()];
    const sessions = await Promise.all(tokens.map(sessionOf));
    const [revoked, kept, expired] = sessions.map((session) => of(session));
    await db.query('DELETE FROM sandbox_links WHERE id = $1', [decodeId('link', of(revoked).linkId)]);
    await db.query(`UPDATE sandbox_links SET expires_at = now() WHERE id = $1`, [
      decodeId('link', of(expired).linkId),
    ]);
    asked = 0;
    const others = [
      { ...of(kept), sessionId: 'x' },
      { ...of(kept), teamId: team(teamB) },
      { ...of(kept), port: 81 },
      { ...of(kept), sandboxId: NOWHERE },
    ];
    expect(await store().stillHold([of(revoked), of(kept), of(expired), ...others, of(kept)])).toEqual([
      false,
      true,
      'expired',
      false,
      false,
      false,
      false,
      true,
    ]);
    expect(asked).toBe(1);
  });

  // A link whose end was moved nearer, or that lost an origin, kept what was open by it open, by the old terms.
  it.each([
    ['its end', `expires_at = expires_at - interval '1 minute'`],
    ['whether it may be framed', 'embed = false'],
    ['its origins', `allowed_origins = '["https://b.example"]'`],
    ['the number of its origins', `allowed_origins = '["https://a.example", "https://b.example"]'`],
  ])('takes a session for another one where %s has changed in place', async (_what, assignment) => {
    const session = await sessionOf(await begun());
    expect(await store().stillHold([session])).toEqual([true]);
    await db.query(`UPDATE sandbox_links SET ${assignment} WHERE id = $1`, [
      decodeId('link', session.linkId),
    ]);
    expect(await store().stillHold([session])).toEqual([false]);
  });

  describe('prolongs a session that is used', () => {
    /** A session by a link that renews for 100 s at a time, with these seconds left, and its store's view of it. */
    async function used(left = 50, until = '1 hour'): Promise<{ session: Session; linkUuid: string }> {
      const { id, token } = await link();
      const linkUuid = of(decodeId('link', id) ?? undefined);
      await db.query(
        `UPDATE sandbox_links SET renew_seconds = 100, renew_until = now() + $2::interval WHERE id = $1`,
        [linkUuid, until],
      );
      const sessionToken = await begun(token);
      await db.query(
        "UPDATE sandbox_sessions SET expires_at = now() + $2 * interval '1 second' WHERE link_id = $1",
        [linkUuid, left],
      );
      return { session: await sessionOf(sessionToken), linkUuid };
    }
    const renew = async (...sessions: Session[]): Promise<(number | null)[]> => [
      ...(await store().renew(sessions)),
    ];
    const seconds = (endMs: number | null | undefined): number =>
      Math.round((Number(endMs) - Date.now()) / 1_000);

    it('by its time from then on, in memory and in the table, for as many processes as ask once', async () => {
      const { session } = await used();
      expect(session.renewal).toEqual({ ttlMs: 100_000, untilMs: expect.any(Number) });
      const [first, second] = [await renew(session), await renew(session)];
      expect(seconds(first[0])).toBeGreaterThan(97);
      expect(second).toEqual(first);
      expect(await store().stillHold([session])).toEqual([true]);
    });

    it('once three quarters of it are left, and not before', async () => {
      const { session } = await used(80);
      expect(await renew(session)).toEqual([session.expiresAtMs]);
    });

    it('not beyond the bound of its link', async () => {
      const { session } = await used(50, '70 seconds');
      expect(seconds((await renew(session))[0])).toBeLessThanOrEqual(70);
      expect(await renew(session)).toEqual([session.renewal?.untilMs]);
    });

    it('after its link has expired, but neither after it was revoked nor after its own end', async () => {
      const { session, linkUuid } = await used();
      await db.query('UPDATE sandbox_links SET expires_at = now() WHERE id = $1', [linkUuid]);
      expect(seconds((await renew(session))[0])).toBeGreaterThan(97);
      const [revoked, over] = [await used(), await used(-1).catch(String)];
      expect(over).toContain('no session');
      await db.query('UPDATE sandbox_links SET revoked_at = now(), renew_until = now() WHERE id = $1', [
        revoked.linkUuid,
      ]);
      expect(await renew(revoked.session)).toEqual([null]);
      expect(await store().stillHold([revoked.session])).toEqual(['revoked']);
    });

    it('not where its sandbox was paused, if that ends it, also at the same moment', async () => {
      const { session, linkUuid } = await used();
      await db.query('UPDATE sandbox_links SET end_sessions_on_pause = true WHERE id = $1', [linkUuid]);
      const pauser = new Client({ connectionString: db.url });
      await pauser.connect();
      await pauser.query('BEGIN');
      await pauser.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [sandbox.uuid]);
      // the row is locked: nobody waits for it
      expect(await renew(session)).toEqual([session.expiresAtMs]);
      await pauser.query('COMMIT');
      await pauser.end();
      expect(await renew(session)).toEqual([null]);
      expect(await store().stillHold([session])).toEqual(['paused']);
    });

    it('of many, each by its own link, in their order', async () => {
      const [one, other] = [await used(), await used(80)];
      const fixed = await sessionOf(await begun());
      const ends = await renew({ ...one.session, sessionId: 'x' }, other.session, fixed, one.session);
      expect([ends[0], ends[1], ends[2]]).toEqual([null, other.session.expiresAtMs, fixed.expiresAtMs]);
      expect(seconds(ends[3])).toBeGreaterThan(97);
      asked = 0;
      await renew(one.session, other.session);
      expect(asked).toBe(1);
    });
  });

  // one guest opened a link 1,000 times, and the next guest got 401
  it('begins another one by a link that has 1,000, in place of the oldest, and tells of its end', async () => {
    const { id, token } = await link();
    const oldest = await begun(token);
    const { sessionId } = await sessionOf(oldest);
    await db.query(
      `INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash)
       SELECT gen_random_uuid(), $1, $2, '' FROM generate_series(1, 999)`,
      [decodeId('link', id), sandbox.uuid],
    );
    const witness = new Client({ connectionString: db.url });
    await witness.connect();
    const heard: (string | undefined)[] = [];
    witness.on('notification', ({ payload }) => heard.push(payload));
    await witness.query('LISTEN sandbox_proxy_changes');
    expect(await sessionOf(await begun(token))).toHaveProperty('linkId', id);
    expect(await store().find(oldest, place())).toMatchObject({ ended: 'replaced' });
    await expect.poll(() => heard).toHaveLength(1);
    expect(JSON.parse(heard[0] ?? '')).toEqual({
      table: 'sandbox_sessions',
      id: decodeId('session', sessionId),
    });
    await witness.end();
    const left = await db.query('SELECT 1 FROM sandbox_sessions WHERE link_id = $1 AND expires_at > now()', [
      decodeId('link', id),
    ]);
    expect(left).toHaveLength(1_000);
  });

  it('ends sessions with the team that is deleted, also if it comes back', async () => {
    const gone = await rows.team();
    sandbox = await rows.sandbox(gone.id, hostId);
    const token = await begun();
    await db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [gone.id]);
    expect(await store().find(token, place())).toMatchObject({ ended: 'revoked' });
    expect(await begin((await link()).token)).toMatchObject({ ended: 'revoked' });
    await db.query('UPDATE teams SET deleted_at = NULL WHERE id = $1', [gone.id]);
    expect(await store().find(token, place())).toMatchObject({ ended: 'revoked' });
  });
});

describe('the settings of ports', () => {
  let settings: PlatformPortSettings;

  beforeEach(async () => {
    const tables = new AccessTables(dataSource);
    await tables.detect();
    settings = new PlatformPortSettings(dataSource, tables);
    await db.query(
      `INSERT INTO sandbox_ports (sandbox_id, port, visibility, cors)
       VALUES ($1, 80, 'public', '["https://a.example"]'), ($1, 81, 'private', '"app"')`,
      [sandbox.uuid],
    );
    asked = 0;
  });

  it('are found by one query, also for many at once', async () => {
    const open = { teamId: team(teamA), visibility: 'public', cors: ['https://a.example'], appHost: 'local' };
    const closed = { teamId: team(teamA), visibility: 'private', cors: 'app', appHost: 'local' };
    expect(await settings.find(sandbox.id, 80)).toEqual(open);
    expect(await settings.find(sandbox.id, 82)).toBeNull();
    expect(asked).toBe(2);
    const places = [
      { sandboxId: sandbox.id, port: 82 },
      { sandboxId: sandbox.id, port: 81 },
      ...MALFORMED.map((sandboxId) => ({ sandboxId, port: 80 })),
      { sandboxId: sandbox.id, port: 80 },
      { sandboxId: NOWHERE, port: 80 },
    ];
    expect(await settings.findMany(places)).toEqual([null, closed, ...MALFORMED.map(() => null), open, null]);
    expect(asked).toBe(3);
  });

  it("do not count for a deleted team's sandbox", async () => {
    const gone = await rows.team();
    const theirs = await rows.sandbox(gone.id, hostId);
    await db.query(`INSERT INTO sandbox_ports (sandbox_id, port, visibility) VALUES ($1, 80, 'public')`, [
      theirs.uuid,
    ]);
    expect(await settings.find(theirs.id, 80)).not.toBeNull();
    await db.query('UPDATE teams SET deleted_at = now() WHERE id = $1', [gone.id]);
    expect(await settings.find(theirs.id, 80)).toBeNull();
  });
});

const madeUp = (purpose: TokenPurpose): string =>
  newToken(purpose, randomUUID(), { sandboxId: sandbox.uuid, port: 80 }).token;

// Made-up keys, cookies, tokens and ports took every connection to the database: 2.5 s for a stranger's key elsewhere.
describe('a flood of questions that anybody can ask', () => {
  it('holds one connection of each kind, and leaves the others free', async () => {
    const tables = new AccessTables(dataSource);
    await tables.detect();
    const recorder = new LastUsedRecorder(dataSource, {
      isRecorded: false,
      clock: () => 0,
    });
    const keys = new PlatformApiKeyStore(dataSource, recorder);
    const sessions = new PlatformSessionStore(new SessionRepository(dataSource), tables);
    const ports = new PlatformPortSettings(dataSource, tables);
    const sandboxes = directory();
    asked = 0;
    let [underWay, most] = [0, 0];
    const counted = dataSource.query.bind(dataSource);
    dataSource.query = async (...parameters) => {
      underWay += 1;
      most = Math.max(most, underWay);
      return counted(...parameters).finally(() => (underWay -= 1));
    };
    const answers = Array.from({ length: 1_000 }, (_, port) => [
      keys.find(hashApiKey(generateApiKey())),
      sessions.find(madeUp('session'), place()),
      sessions.begin(madeUp('link'), place(), true),
      ports.find(sandbox.id, port + 1),
      sandboxes.locate(encodeId('cl', randomUUID()), team(teamA)),
    ]).flat();
    answers.push(keys.find(hashApiKey(of(teamA).key)));
    const found = await Promise.all(answers);
    dataSource.query = counted;
    expect(found.filter((answer) => answer !== null)).toEqual([
      { keyId: encodeId('key', of(teamA).keyId), teamId: team(teamA) },
    ]);
    expect(most).toBeLessThanOrEqual(5);
    expect(asked).toBeLessThanOrEqual(5 * 4);
  });
});

// Each exchange is a transaction that wants the row of its link: the guests of one link held all ten connections.
describe('guests of one link that come at once', () => {
  it('hold two connections, and leave the others free', async () => {
    const tables = new AccessTables(dataSource);
    await tables.detect();
    const sessions = new PlatformSessionStore(new SessionRepository(dataSource), tables);
    const recorder = new LastUsedRecorder(dataSource, { isRecorded: false, clock: () => 0 });
    const { id, token } = await link();
    const holder = new Client({ connectionString: db.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM sandbox_links WHERE id = $1 FOR UPDATE', [decodeId('link', id)]);
    const guests = Promise.all(Array.from({ length: 40 }, () => sessions.begin(token, place(), true)));
    const held = async (): Promise<number | undefined> =>
      (
        await db.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )
      )[0]?.count;
    await expect.poll(held).toBeGreaterThanOrEqual(2);
    const key = hashApiKey(of(teamA).key);
    expect(await new PlatformApiKeyStore(dataSource, recorder).find(key)).not.toBeNull();
    expect(await held()).toBe(2);
    await holder.query('COMMIT');
    await holder.end();
    expect((await guests).filter((session) => session !== null)).toHaveLength(40);
  });
});

// A made-up session cookie was answered 503, and asked the database each time, where only the platform's tables are.
describe('a database without the tables of links and ports', () => {
  let bare: TestDatabase;
  let source: DataSource;
  let tables: AccessTables;

  beforeAll(async () => {
    bare = await createTestDatabase({ isEmpty: true });
    source = await openCounting(bare.url);
  });
  afterAll(async () => {
    await source.destroy();
    await bare.drop();
  });
  beforeEach(async () => {
    tables = new AccessTables(source);
    await tables.detect();
    asked = 0;
  });

  it('has no session, link or port setting, and is not asked for one', async () => {
    const sessions = new PlatformSessionStore(new SessionRepository(source), tables);
    const ports = new PlatformPortSettings(source, tables);
    const [session, link] = (['session', 'link'] as const).map((purpose) =>
      newToken(purpose, randomUUID(), { sandboxId: sandbox.uuid, port: 80 }),
    );
    expect(await sessions.find(of(session).token, place())).toBeNull();
    expect(await sessions.begin(of(link).token, place(), true)).toBeNull();
    expect(await ports.find(sandbox.id, 80)).toBeNull();
    expect(await ports.findMany([place(), place()])).toEqual([null, null]);
    expect(asked).toBe(0);
  });

  it('has them once they are made, and has not once they are dropped', async () => {
    expect([tables.haveLinks, tables.havePorts]).toEqual([false, false]);
    for (const name of ['sandbox_links', 'sandbox_sessions', 'sandbox_ports'])
      await bare.query(`CREATE TABLE ${name} (id uuid)`);
    await tables.detect();
    // made by an older version of the program
    expect([tables.haveLinks, tables.havePorts]).toEqual([false, true]);
    await bare.query('ALTER TABLE sandbox_sessions ADD COLUMN ended_reason text');
    await tables.detect();
    expect([tables.haveLinks, tables.havePorts]).toEqual([true, true]);
    await bare.query('DROP TABLE sandbox_sessions');
    await tables.detect();
    expect([tables.haveLinks, tables.havePorts]).toEqual([false, true]);
  });
});
