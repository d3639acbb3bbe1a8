import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiKeyService } from '../src/sandbox-proxy/index.js';
import { migrationDataSourceOptions } from '../src/platform/database/data-source.js';
import { TRIGGERS } from '../src/platform/database/feed-triggers.js';
import { migrate } from '../src/platform/database/migrate.js';
import { MIGRATIONS } from '../src/platform/database/migrations/index.js';
import { DatabaseStartError } from '../src/platform/database/open-database.js';
import { generateApiKey, hashApiKey } from '../src/platform/identifiers/api-key.js';
import { LOGGER } from '../src/program/logging/logger.js';
import { caller } from './kit/api-client.js';
import { startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';

const COUNT_TRIGGERS = `SELECT count(*)::int AS count FROM pg_trigger WHERE NOT tgisinternal`;

describe('start without a database', () => {
  it.each([['auto'], ['off']])('fails at once where nothing listens (MIGRATIONS=%s)', async (MIGRATIONS) => {
    const url = 'postgres://user:hunter2@127.0.0.1:9/shop';
    const start = startApp({ db: unreachable(url), env: { MIGRATIONS } });
    await expect(start).rejects.toThrow(DatabaseStartError);
    await expect(start).rejects.toThrow(
      /^cannot use the database at 127\.0\.0\.1:9\/shop: .*ECONNREFUSED.*DATABASE_URL$/,
    );
    await expect(start).rejects.not.toThrow(/hunter2/);
  });

  it('fails within six seconds where nobody answers', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => void silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const before = performance.now();
    await expect(startApp({ db: unreachable(`postgres://u@127.0.0.1:${port}/x`) })).rejects.toThrow(
      DatabaseStartError,
    );
    expect(performance.now() - before).toBeLessThan(6_000);
    silent.close();
  });
});

describe('migrations', () => {
  let db: TestDatabase;
  beforeEach(async () => {
    db = await createTestDatabase({ isEmpty: true });
  });
  afterEach(() => db.drop());

  it('run once, however many processes start together', async () => {
    const runs = await Promise.all([migrate(db.url), migrate(db.url), migrate(db.url)]);
    expect(runs.flat()).toEqual(MIGRATIONS.map(({ name }) => name));
    expect(await db.query(COUNT_TRIGGERS)).toEqual([{ count: TRIGGERS.length }]);
  });

  it('leave the tables of the platform as they are and add the triggers', async () => {
    await createPlatformTables(db);
    const columns = `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
      WHERE table_name IN ('teams', 'team_api_keys', 'hosts', 'sandboxes') ORDER BY 1, 2`;
    const before = await db.query(columns);
    await migrate(db.url);
    expect(await db.query(columns)).toEqual(before);
    expect(await db.query(COUNT_TRIGGERS)).toEqual([{ count: TRIGGERS.length }]);
  });

  it('take the triggers away again', async () => {
    await migrate(db.url);
    const dataSource = await new DataSource(migrationDataSourceOptions(db.url)).initialize();
    // all but the first, which makes the platform's tables
    for (let left = MIGRATIONS.length; left > 1; left -= 1) await dataSource.undoLastMigration();
    await dataSource.destroy();
    expect(await db.query(COUNT_TRIGGERS)).toEqual([{ count: 0 }]);
  });
});

describe("the platform's own database with MIGRATIONS=off, read only and without triggers", () => {
  const key = generateApiKey();
  let db: TestDatabase;
  let role: string;
  let url: URL;

  beforeAll(async () => {
    db = await createTestDatabase({ isEmpty: true });
    url = new URL(db.url);
    role = `reader_${url.pathname.slice(1)}`;
    await createPlatformTables(db);
    await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'read'`);
    await db.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
    await db.query(`INSERT INTO teams (id, name, slug, plan) VALUES (gen_random_uuid(), 'a', 'a', 'pro')`);
    await db.query(
      `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix, scope)
       SELECT gen_random_uuid(), id, 'k', $1, 'wrn_', 'all' FROM teams`,
      [hashApiKey(key)],
    );
    url.username = role;
    url.password = 'read';
  });
  afterAll(async () => {
    await db.query(`DROP OWNED BY ${role}`);
    await db.query(`DROP ROLE ${role}`);
    await db.drop();
  });

  it('starts, admits keys, is ready, says that the feed is absent, and writes nothing', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const started = await startApp({
      db: { ...db, url: url.href },
      env: { MIGRATIONS: 'off' },
      override: (builder) => builder.overrideProvider(LOGGER).useValue(logger),
    });
    expect(await started.app.get(ApiKeyService).findTeam(key)).toEqual({
      teamId: expect.any(String),
      keyId: expect.any(String),
      digest: expect.any(String),
    });
    const ready = await caller(started.url)('GET', '/readyz');
    expect([ready.status, ready.body['checks']]).toEqual([
      200,
      { database: 'ok', changeFeed: 'absent', lifecycle: 'ok' },
    ]);
    expect((await caller(started.url, { 'x-api-key': key })('GET', '/v1/sandboxes')).status).toBe(200);
    await started.close();
    // a write that was refused would have been logged
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      expect.stringContaining('no change triggers'),
    ]);
    expect(await db.query(`SELECT last_used FROM team_api_keys`)).toEqual([{ last_used: null }]);
    expect(await db.query(`SELECT to_regclass('migrations') AS migrations`)).toEqual([{ migrations: null }]);
  });
});

/** A database that is never reached. */
function unreachable(url: string): TestDatabase {
  return { url, query: () => Promise.reject(new Error('unreachable')), drop: async () => undefined };
}

/** Tables as another program made them: more columns, other defaults, more constraints. */
async function createPlatformTables(db: TestDatabase): Promise<void> {
  await db.query(`
    CREATE TABLE teams (id uuid PRIMARY KEY, name text NOT NULL, slug text NOT NULL UNIQUE, plan text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz);
    CREATE TABLE team_api_keys (id uuid PRIMARY KEY, team_id uuid NOT NULL REFERENCES teams ON DELETE CASCADE,
      name text NOT NULL, key_hash text NOT NULL UNIQUE, key_prefix text NOT NULL, scope text NOT NULL,
      created_by uuid, created_at timestamptz NOT NULL DEFAULT now(), last_used timestamptz);
    CREATE TABLE hosts (id uuid PRIMARY KEY, type text NOT NULL, address text NOT NULL DEFAULT '',
      status text NOT NULL CHECK (status IN ('pending', 'online', 'unreachable', 'offline')),
      last_heartbeat_at timestamptz, metadata jsonb NOT NULL, capacity int NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE sandboxes (id uuid PRIMARY KEY, team_id uuid NOT NULL REFERENCES teams, host_id uuid NOT NULL,
      template text NOT NULL, status text NOT NULL, metadata jsonb NOT NULL, snapshot_id uuid,
      created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, last_active_at timestamptz,
      last_updated timestamptz NOT NULL DEFAULT now())`);
}
