import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../src/platform/database/migrate.js';
import { PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import type { Change } from '../src/sandbox-proxy/index.js';
import { CollectingLogger } from './kit/collecting-logger.js';
import { caller, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { type PgBouncer, startPgBouncer } from './kit/pgbouncer.js';

const HOST = '00000000-0000-4000-8000-000000000003';

// A pooler in transaction mode answers LISTEN, and passes notifications on to nobody: a feed that believes the answer
// says that it is live, and a deleted key goes on admitting for two minutes.
describe('the change feed and a pooler in transaction mode', () => {
  let db: TestDatabase;
  let pooler: PgBouncer | undefined;
  let feed: PostgresChangeFeed | undefined;
  let logger: CollectingLogger;
  let changes: Change[];

  async function start(databaseUrl: string, feedUrl: string): Promise<PostgresChangeFeed> {
    const started = new PostgresChangeFeed({
      databaseUrl,
      feedUrl,
      heartbeatMs: 20,
      timeoutMs: 1_000,
      logger,
    });
    feed = started;
    started.subscribe((change) => changes.push(change));
    await started.onModuleInit();
    return started;
  }

  /** Resolves when so many notifications have been sent on the channel, whoever heard them. */
  async function sent(count: number): Promise<void> {
    const witness = new Client({ connectionString: db.url });
    await witness.connect();
    let heard = 0;
    witness.on('notification', () => (heard += 1));
    await witness.query('LISTEN sandbox_proxy_changes');
    await expect.poll(() => heard, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
    await witness.end();
  }

  beforeEach(async () => {
    db = await createTestDatabase();
    logger = new CollectingLogger();
    changes = [];
  });
  afterEach(async () => {
    await feed?.onApplicationShutdown();
    feed = undefined;
    await pooler?.stop();
    pooler = undefined;
    await db.drop();
  });

  // with one connection to the server, the session that listens is also the one that speaks: it hears its own words
  it.each([1, 5])('is never live through it, and says why (%i connections to the server)', async (size) => {
    pooler = await startPgBouncer(db.url, size);
    const started = await start(pooler.url, pooler.url);
    expect(started.state).toBe('deaf');
    const states = new Set<string>();
    const watch = setInterval(() => states.add(started.state), 1);
    await sent(3);
    clearInterval(watch);
    expect([...states]).toEqual(['deaf']);
    expect([started.isLive, started.provenAtMs, changes]).toEqual([false, 0, []]);
    expect(logger.lines).toEqual([
      'warn: the change feed cannot hear: is a pooler in transaction mode in between? ' +
        'set FEED_DATABASE_URL to a direct connection',
    ]);
  });

  it('is live past it, and hears what is committed through it', async () => {
    pooler = await startPgBouncer(db.url);
    const started = await start(pooler.url, db.url);
    expect(started.state).toBe('live');
    const program = new Client({ connectionString: pooler.url });
    await program.connect();
    await program.query(`INSERT INTO hosts (id, type) VALUES ('${HOST}', 't')`);
    await program.query('DELETE FROM hosts');
    await program.end();
    await expect
      .poll(() => changes)
      .toEqual([{ kind: 'everything' }, { kind: 'host', hostId: expect.stringMatching(/^host-/) }]);
    expect(logger.lines).toEqual(['log: change feed is live']);
  });

  it('is not live on another database than the one that is written to', async () => {
    const other = await createTestDatabase();
    const started = await start(db.url, other.url);
    expect(started.state).toBe('deaf');
    await started.onApplicationShutdown();
    await other.drop();
  });

  // the lock of a session would stay with the pooler's connection when its client has gone
  it('lets the schema be brought up to date, again and by two at once', async () => {
    const empty = await createTestDatabase({ isEmpty: true });
    pooler = await startPgBouncer(empty.url);
    const { url } = pooler;
    const [first, second] = await Promise.all([migrate(url), migrate(url)]);
    expect([...first, ...second].toSorted()).toEqual([...new Set([...first, ...second])].toSorted());
    expect(await migrate(url)).toEqual([]);
    expect(await empty.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
    await pooler.stop();
    await empty.drop();
  });
});

describe('the program behind a pooler in transaction mode', () => {
  let db: TestDatabase;
  let pooler: PgBouncer;
  let started: StartedApp;

  beforeEach(async () => {
    db = await createTestDatabase();
    pooler = await startPgBouncer(db.url);
  });
  afterEach(async () => {
    await started.close();
    await pooler.stop();
    await db.drop();
  });

  /** Lets a key in, deletes it past the program, and waits until it is refused; how long that took, milliseconds. */
  async function msUntilRefused(): Promise<number> {
    const team = await newTeam(started);
    const isLetIn = async (): Promise<boolean> => (await team.call('GET', '/v1/sandboxes')).status === 200;
    expect(await isLetIn()).toBe(true);
    await db.query('DELETE FROM team_api_keys');
    const deletedAtMs = performance.now();
    await expect.poll(isLetIn, { timeout: 20_000, interval: 20 }).toBe(false);
    return performance.now() - deletedAtMs;
  }

  it('says that it cannot hear, and asks again after 5 s', async () => {
    started = await startApp({ db: { ...db, url: pooler.url } });
    const answer = await caller(started.url)('GET', '/readyz');
    expect([answer.status, answer.body['checks']]).toEqual([
      503,
      {
        database: 'ok',
        changeFeed: 'deaf: is a pooler in transaction mode in between? set FEED_DATABASE_URL',
        lifecycle: 'ok',
      },
    ]);
    expect(await msUntilRefused()).toBeLessThan(7_000);
  });

  it('hears by FEED_DATABASE_URL', async () => {
    started = await startApp({ db: { ...db, url: pooler.url }, env: { FEED_DATABASE_URL: db.url } });
    expect((await caller(started.url)('GET', '/readyz')).status).toBe(200);
    expect(await msUntilRefused()).toBeLessThan(2_500);
  });
});
