import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FeedEvent } from '../src/platform/database/change-feed.js';
import { TRIGGERS } from '../src/platform/database/feed-message.js';
import { PostgresChangeFeed } from '../src/platform/database/postgres-change-feed.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';

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
const KEY_EVENT = { table: 'team_api_keys', id: KEY, teamId: TEAM, keyHash: 'hash' };
const SANDBOX_EVENT = { table: 'sandboxes', id: SANDBOX, teamId: TEAM };
const LINK_EVENT = { table: 'sandbox_links', id: LINK, sandboxId: SANDBOX };
const PORT_EVENT = { table: 'sandbox_ports', sandboxId: SANDBOX, port: 80 };
const EVERYTHING = { table: '*' };

/** How soon after the commit a listener must know. */
const SOON = { timeout: 250, interval: 2 };

describe('the change feed', () => {
  let db: TestDatabase;
  let feed: PostgresChangeFeed;
  let events: FeedEvent[];
  let warnings: string[];
  let atStart: FeedEvent[];

  async function start(): Promise<void> {
    events = [];
    warnings = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) });
    feed = new PostgresChangeFeed({ url: db.url, heartbeatMs: 100, timeoutMs: 1_000 }, logger);
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
    [
      `UPDATE sandboxes SET team_id = '${TEAM_B}'`,
      [LINK_EVENT, PORT_EVENT, SANDBOX_EVENT, { ...SANDBOX_EVENT, teamId: TEAM_B }],
    ],
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
      [{ ...SANDBOX_EVENT, id: HOST }],
    ],
    [`UPDATE hosts SET address = 'c:1' WHERE id = '${HOST}'`, [{ table: 'hosts', id: HOST }]],
    [`DELETE FROM hosts WHERE id = '${HOST_B}'`, [{ table: 'hosts', id: HOST_B }]],
    [`DELETE FROM team_api_keys`, [KEY_EVENT]],
    [`UPDATE team_api_keys SET key_hash = 'new'`, [KEY_EVENT, { ...KEY_EVENT, keyHash: 'new' }]],
    [`UPDATE team_api_keys SET team_id = '${TEAM_B}'`, [KEY_EVENT, { ...KEY_EVENT, teamId: TEAM_B }]],
    [
      `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix) VALUES ('${HOST}', '${TEAM}', 'k', 'h2', 'p')`,
      [{ ...KEY_EVENT, id: HOST, keyHash: 'h2' }],
    ],
    [`UPDATE teams SET deleted_at = now() WHERE id = '${TEAM}'`, [{ table: 'teams', id: TEAM }]],
    [`DELETE FROM teams WHERE id = '${TEAM_B}'`, [{ table: 'teams', id: TEAM_B }]],
    [`TRUNCATE sandboxes`, [EVERYTHING]],
    [`TRUNCATE hosts`, [EVERYTHING]],
    [`TRUNCATE team_api_keys`, [EVERYTHING]],
    [`SELECT pg_notify('sandbox_proxy_changes', 'not json')`, [EVERYTHING]],
    [`SELECT pg_notify('sandbox_proxy_changes', '{"table":"new_table","id":"1"}')`, [EVERYTHING]],
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
    await expect.poll(() => events, SOON).toEqual([{ table: 'hosts', id: HOST_B }]);
  });

  it('tells only what is committed', async () => {
    await db.query('BEGIN');
    await db.query(`UPDATE sandboxes SET status = 'paused'`);
    await db.query('ROLLBACK');
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => events, SOON).toEqual([KEY_EVENT]);
  });

  it('goes on when a listener throws', async () => {
    const heard: FeedEvent[] = [];
    feed.subscribe(() => {
      throw new Error('a defect of the listener');
    });
    feed.subscribe((event) => heard.push(event));
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => heard, SOON).toEqual([KEY_EVENT]);
    expect(feed.isLive).toBe(true);
    expect(warnings.join('')).toContain('a defect of the listener');
  });

  it('tells nothing to who has unsubscribed', async () => {
    const heard: FeedEvent[] = [];
    feed.subscribe((event) => heard.push(event))();
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => events, SOON).toEqual([KEY_EVENT]);
    expect(heard).toEqual([]);
  });

  it('is not live while its connection is gone, and tells that everything may have changed', async () => {
    const seen: boolean[] = [];
    feed.subscribe(() => seen.push(feed.isLive));
    const watch = setInterval(() => seen.push(feed.isLive), 1);
    await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name LIKE '%change feed' AND datname = current_database()`);
    await expect.poll(() => events, { timeout: 2_000, interval: 2 }).toEqual([EVERYTHING]);
    clearInterval(watch);
    expect(seen).toContain(false);
    expect(feed.isLive).toBe(true);
    await db.query('DELETE FROM team_api_keys');
    await expect.poll(() => events, SOON).toEqual([EVERYTHING, KEY_EVENT]);
  });

  it('is absent, says so once, and comes alive when the triggers do', async () => {
    const trigger = TRIGGERS[0] ?? '';
    await db.query(`ALTER TABLE sandboxes DISABLE TRIGGER ${trigger}`);
    await expect.poll(() => feed.state, { timeout: 1_000 }).toBe('absent');
    expect(feed.isLive).toBe(false);
    await db.query(`ALTER TABLE sandboxes ENABLE TRIGGER ${trigger}`);
    await expect.poll(() => feed.state, { timeout: 1_000 }).toBe('live');
    await db.query(`ALTER TABLE sandboxes DISABLE TRIGGER ${trigger}`);
    await expect.poll(() => feed.state, { timeout: 1_000 }).toBe('absent');
    await db.query(`ALTER TABLE sandboxes ENABLE TRIGGER ${trigger}`);
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect(warnings.filter((line) => line.includes('no change triggers'))).toHaveLength(1);
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
    expect(warnings).toEqual([]);
  });
});

describe('the change feed of a server that does not answer', () => {
  it('is down, and start is not held up', async () => {
    const options = { url: 'postgres://u@127.0.0.1:9/x', heartbeatMs: 100, timeoutMs: 500 };
    const feed = new PostgresChangeFeed(options, pino({ level: 'silent' }));
    await feed.onModuleInit();
    expect(feed.state).toBe('down');
    await feed.onApplicationShutdown();
  });
});
