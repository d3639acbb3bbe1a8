import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TRIGGERS } from '../src/platform/database/feed-triggers.js';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import type { Change } from '../src/sandbox-proxy/index.js';
import { CollectingLogger } from './kit/collecting-logger.js';
import { startTcpRelay } from './kit/tcp-relay.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { SOON_MS } from './kit/wait.js';

const ID = '00000000-0000-4000-8000-00000000000';
const [TEAM, TEAM_B, HOST, HOST_B, SANDBOX, KEY, LINK] = [1, 2, 3, 4, 5, 6, 7].map((n) => `${ID}${n}`) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const SESSION = `${ID}8`;
const KEY_EVENT = { kind: 'credential', scheme: 'api-key', subject: 'hash' };
const SANDBOX_EVENT = { kind: 'sandbox', sandboxId: encodeId('cl', SANDBOX) };
const LINK_EVENT = { kind: 'credential', scheme: 'session', subject: encodeId('link', LINK) };
const PORT_EVENT = { kind: 'port', sandboxId: encodeId('cl', SANDBOX), port: 80 };
const EVERYTHING = { kind: 'everything' };
const hostEvent = (uuid: string) => ({ kind: 'host', hostId: encodeId('host', uuid) });
const teamEvent = (uuid: string) => ({ kind: 'team', teamId: encodeId('team', uuid) });

const SOON = { timeout: SOON_MS, interval: 2 };

describe('the change feed', () => {
  let db: TestDatabase;
  let feed: PostgresChangeFeed;
  let events: Change[];
  let logger: CollectingLogger;
  let atStart: Change[];

  async function start(): Promise<void> {
    events = [];
    logger = new CollectingLogger();
    const urls = { databaseUrl: db.url, feedUrl: db.url };
    feed = new PostgresChangeFeed({ ...urls, heartbeatMs: 100, timeoutMs: 1_000, logger });
    feed.subscribe((event) => events.push(event));
    await feed.onModuleInit();
  }

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  beforeEach(async () => {
    await db.query(
      'TRUNCATE sandboxes, hosts, team_api_keys, teams, sandbox_links, sandbox_sessions, sandbox_ports',
    );
    await db.query(
      `INSERT INTO teams (id, name, slug) VALUES ('${TEAM}', 'a', 'a'), ('${TEAM_B}', 'b', 'b')`,
    );
    await db.query(
      `INSERT INTO hosts (id, type, address) VALUES ('${HOST}', 't', 'a:1'), ('${HOST_B}', 't', 'b:1')`,
    );
    await db.query(`INSERT INTO sandboxes (id, team_id, host_id, template, status)
      VALUES ('${SANDBOX}', '${TEAM}', '${HOST}', 't', 'running')`);
    await db.query(`INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix)
      VALUES ('${KEY}', '${TEAM}', 'k', 'hash', 'p')`);
    await db.query(`INSERT INTO sandbox_links (id, sandbox_id, port, token_hash, once, embed, expires_at)
      VALUES ('${LINK}', '${SANDBOX}', 80, '', false, false, now())`);
    await db.query(
      `INSERT INTO sandbox_ports (sandbox_id, port, visibility) VALUES ('${SANDBOX}', 80, 'public')`,
    );
    await start();
    atStart = events.splice(0);
  });
  afterEach(() => feed.onApplicationShutdown());

  it('is live once started, and tells that everything may have changed before', () => {
    expect(feed.isLive).toBe(true);
    expect(atStart).toEqual([EVERYTHING]);
  });

  it.each<[string, unknown[]]>([
    [`UPDATE sandboxes SET status = 'paused'`, [SANDBOX_EVENT]],
    [`UPDATE sandboxes SET host_id = '${HOST_B}'`, [SANDBOX_EVENT]],
    [`UPDATE sandboxes SET team_id = '${TEAM_B}'`, [LINK_EVENT, PORT_EVENT, SANDBOX_EVENT, SANDBOX_EVENT]],
    [`DELETE FROM sandboxes`, [LINK_EVENT, PORT_EVENT, SANDBOX_EVENT]],
    [`DELETE FROM sandbox_links`, [LINK_EVENT]],
    [`UPDATE sandbox_links SET expires_at = '2000-01-01'`, [LINK_EVENT]],
    [`DELETE FROM sandbox_ports`, [PORT_EVENT]],
    [`UPDATE sandbox_ports SET visibility = 'private'`, [PORT_EVENT]],
    [
      `INSERT INTO sandbox_ports (sandbox_id, port, visibility) VALUES ('${SANDBOX}', 81, 'public')`,
      [{ ...PORT_EVENT, port: 81 }],
    ],
    [`TRUNCATE sandbox_ports`, [EVERYTHING]],
    [`TRUNCATE sandbox_links CASCADE`, [EVERYTHING]],
    [
      `INSERT INTO sandboxes (id, team_id, template, status) VALUES ('${HOST}', '${TEAM}', 't', 'x')`,
      [{ kind: 'sandbox', sandboxId: encodeId('cl', HOST) }],
    ],
    [`UPDATE hosts SET address = 'c:1' WHERE id = '${HOST}'`, [hostEvent(HOST)]],
    [`DELETE FROM hosts WHERE id = '${HOST_B}'`, [hostEvent(HOST_B)]],
    [`DELETE FROM team_api_keys`, [KEY_EVENT]],
    [`UPDATE team_api_keys SET key_hash = 'new'`, [KEY_EVENT, { ...KEY_EVENT, subject: 'new' }]],
    [`UPDATE team_api_keys SET team_id = '${TEAM_B}'`, [KEY_EVENT, KEY_EVENT]],
    [
      `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix) VALUES ('${HOST}', '${TEAM}', 'k', 'h2', 'p')`,
      [{ ...KEY_EVENT, subject: 'h2' }],
    ],
    [`UPDATE teams SET deleted_at = now() WHERE id = '${TEAM}'`, [teamEvent(TEAM)]],
    [`DELETE FROM teams WHERE id = '${TEAM_B}'`, [teamEvent(TEAM_B)]],
    [`TRUNCATE sandboxes`, [EVERYTHING]],
    [`TRUNCATE hosts`, [EVERYTHING]],
    [`TRUNCATE team_api_keys`, [EVERYTHING]],
    [`SELECT pg_notify('sandbox_proxy_changes', 'not json')`, [EVERYTHING]],
    [`SELECT pg_notify('sandbox_proxy_changes', '{"table":"new_table","id":"1"}')`, [EVERYTHING]],
    [
      `SELECT pg_notify('sandbox_proxy_changes', '{"table":"sandbox_sessions","id":"${SESSION}"}')`,
      [{ ...LINK_EVENT, subject: encodeId('session', SESSION) }],
    ],
  ])('tells of: %s', async (statement, told) => {
    await db.query(statement);
    await expect.poll(() => events, SOON).toEqual(told);
  });

  it.each([
    `UPDATE sandboxes SET last_active_at = now(), metadata = '{"a":1}', last_updated = now()`,
    `UPDATE sandboxes SET status = status`,
    `UPDATE hosts SET status = 'online', last_heartbeat_at = now()`,
    `UPDATE team_api_keys SET last_used = now(), name = 'other'`,
    `UPDATE teams SET name = 'other'`,
    `UPDATE sandbox_links SET used_at = now()`,
    `UPDATE sandbox_ports SET updated_at = now()`,
    `INSERT INTO teams (name, slug) VALUES ('c', 'c')`,
  ])('is silent about: %s', async (statement) => {
    await db.query(statement);
    await db.query(`DELETE FROM hosts WHERE id = '${HOST_B}'`);
    await expect.poll(() => events, SOON).toEqual([hostEvent(HOST_B)]);
  });

  it('tells only what is committed', async () => {
    await db.query('BEGIN');
    await db.query(`UPDATE sandboxes SET status = 'paused'`);
    await db.query('ROLLBACK');
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => events, SOON).toEqual([KEY_EVENT]);
  });

  it('goes on when a listener throws', async () => {
    const heard: Change[] = [];
    feed.subscribe(() => {
      throw new Error('a defect of the listener');
    });
    feed.subscribe((event) => heard.push(event));
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => heard, SOON).toEqual([KEY_EVENT]);
    expect(feed.isLive).toBe(true);
    expect(logger.lines.join('')).toContain('a defect of the listener');
  });

  it('tells nothing to who has unsubscribed', async () => {
    const heard: Change[] = [];
    feed.subscribe((event) => heard.push(event))();
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => events, SOON).toEqual([KEY_EVENT]);
    expect(heard).toEqual([]);
  });

  it('proves again and again that it hears, and takes no proof of another for its own or for a change', async () => {
    const { provenAtMs } = feed;
    expect(Math.abs(provenAtMs - Date.now())).toBeLessThan(5_000);
    await db.query(`SELECT pg_notify('sandbox_proxy_changes', '{"proof":"of another"}')`);
    await expect.poll(() => feed.provenAtMs).toBeGreaterThan(provenAtMs);
    expect(events).toEqual([]);
  });

  // both connections have the same name; the proof is said on one and heard on the other
  it.each(['LISTEN%', 'SELECT pg_notify%'])(
    'is not live while its connection for %s is gone; on hearing again everything may have changed',
    async (statement) => {
      const seen: boolean[] = [];
      const toldWhileDown: Change[] = [];
      const { provenAtMs } = feed;
      feed.subscribe(() => seen.push(feed.isLive));
      const watch = setInterval(() => {
        seen.push(feed.isLive);
        if (!feed.isLive) toldWhileDown.push(...events);
      }, 1);
      const listens = `(SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%change feed'
        AND datname = current_database() ORDER BY query LIKE 'SELECT pg_notify%' ${statement.startsWith('LISTEN') ? '' : 'DESC'} LIMIT 1)`;
      await db.query(`SELECT pg_terminate_backend(${listens})`);
      await expect.poll(() => events, { timeout: 5_000, interval: 2 }).toEqual([EVERYTHING]);
      clearInterval(watch);
      expect(seen).toContain(false);
      expect(toldWhileDown).toEqual([]);
      expect(feed.isLive).toBe(true);
      expect(feed.provenAtMs).toBeGreaterThan(provenAtMs);
      await db.query('DELETE FROM team_api_keys');
      await expect.poll(() => events, SOON).toEqual([EVERYTHING, KEY_EVENT]);
    },
  );

  it('is absent, says so once, and comes alive when the triggers do', async () => {
    const trigger = TRIGGERS[0] ?? '';
    for (const round of [1, 2]) {
      await db.query(`ALTER TABLE sandboxes DISABLE TRIGGER ${trigger}`);
      await expect.poll(() => feed.state, { timeout: 5_000 }).toBe('absent');
      expect(feed.isLive).toBe(false);
      // nothing is told when it goes, everything when it comes back
      expect(events).toHaveLength(round - 1);
      await db.query(`ALTER TABLE sandboxes ENABLE TRIGGER ${trigger}`);
      await expect.poll(() => feed.state, { timeout: 5_000 }).toBe('live');
      expect(events).toEqual(Array.from({ length: round }, () => EVERYTHING));
    }
    expect(logger.lines.filter((line) => line.includes('no change triggers'))).toHaveLength(1);
  });

  // a process that is busy for longer than a proof may take finds its timer due and the proof unread
  it('stays live while it is the process itself that is late', async () => {
    const ownLogger = new CollectingLogger();
    const urls = { databaseUrl: db.url, feedUrl: db.url };
    const busy = new PostgresChangeFeed({ ...urls, heartbeatMs: 5, timeoutMs: 1_000, logger: ownLogger });
    await busy.onModuleInit();
    for (let round = 0; round < 6; round += 1) {
      const untilMs = Date.now() + 1_300;
      while (Date.now() < untilMs);
      await new Promise((resolve) => void setTimeout(resolve, round % 7));
    }
    await busy.onApplicationShutdown();
    expect(ownLogger.lines).toEqual(['log: change feed is live']);
  });

  it('stops without an event, an error or a connection left behind', async () => {
    await feed.onApplicationShutdown();
    await feed.onApplicationShutdown();
    expect(feed.isLive).toBe(false);
    await expect
      .poll(() =>
        db.query(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '%change feed'
        AND datname = current_database()`),
      )
      .toEqual([]);
    expect(events).toEqual([]);
    expect(logger.lines).toEqual(['log: change feed is live']);
  });
});

describe('the change feed of a server that does not answer', () => {
  const logger = new CollectingLogger();

  it('is down, and start is not held up', async () => {
    const url = 'postgres://u@127.0.0.1:9/x';
    const options = { databaseUrl: url, feedUrl: url, heartbeatMs: 100, timeoutMs: 500, logger };
    const feed = new PostgresChangeFeed(options);
    await feed.onModuleInit();
    expect(feed.state).toBe('down');
    await feed.onApplicationShutdown();
  });

  // what it listens on falls silent, and what it speaks on: neither says a word of it
  it.each(['feedUrl', 'databaseUrl'])('is down within one heartbeat and one timeout: %s', async (which) => {
    const db = await createTestDatabase();
    const relay = await startTcpRelay(db.url);
    const urls = { databaseUrl: db.url, feedUrl: db.url, [which]: relay.url };
    const feed = new PostgresChangeFeed({ ...urls, heartbeatMs: 300, timeoutMs: 700, logger });
    await feed.onModuleInit();
    expect(feed.isLive).toBe(true);
    const heard: Change[] = [];
    feed.subscribe((change) => heard.push(change));
    relay.freeze();
    const frozenAtMs = Date.now();
    await expect.poll(() => feed.isLive, { timeout: 5_000, interval: 2 }).toBe(false);
    expect(Date.now() - feed.provenAtMs).toBeLessThan(2_500);
    expect(feed.provenAtMs).toBeLessThanOrEqual(frozenAtMs);
    expect(heard).toEqual([]);
    relay.restore();
    await expect.poll(() => feed.isLive, { timeout: 10_000 }).toBe(true);
    expect(heard).toEqual([{ kind: 'everything' }]);
    await feed.onApplicationShutdown();
    await relay.close();
    await db.drop();
  });
});
