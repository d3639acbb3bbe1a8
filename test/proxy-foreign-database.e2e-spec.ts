import { randomBytes, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { apiKeyPrefix, generateApiKey, hashApiKey } from '../src/platform/identifiers/api-key.js';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { type StartedApp, startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { type Answer, wholeAnswer } from './kit/answer.js';
import { RawConnection } from './kit/raw-connection.js';

/** The platform's own tables: our columns, more of them, constraints of their own, other types, and no trigger of ours. */
const FOREIGN_SCHEMA = `
  CREATE TYPE sandbox_status AS ENUM ('pending','starting','running','paused','hibernated','stopped','missing','error');
  CREATE TABLE users (id uuid PRIMARY KEY, email text NOT NULL UNIQUE);
  CREATE TABLE teams (id uuid PRIMARY KEY, name text NOT NULL, slug text UNIQUE NOT NULL, tier text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), deleted_at timestamptz, CHECK (slug <> ''));
  CREATE TABLE team_api_keys (id uuid PRIMARY KEY, team_id uuid NOT NULL REFERENCES teams ON DELETE CASCADE, name text NOT NULL,
    key_hash text UNIQUE NOT NULL CHECK (length(key_hash) = 64), key_prefix text NOT NULL, key_mask text NOT NULL,
    created_by uuid REFERENCES users, created_at timestamptz NOT NULL DEFAULT now(), last_used timestamptz);
  CREATE TABLE hosts (id uuid PRIMARY KEY, type text NOT NULL, region text NOT NULL, address text NOT NULL DEFAULT '',
    status text NOT NULL CHECK (status IN ('pending','online','unreachable','offline')), last_heartbeat_at timestamptz,
    metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE sandboxes (id uuid PRIMARY KEY, team_id uuid NOT NULL REFERENCES teams, host_id uuid REFERENCES hosts,
    template text NOT NULL, status sandbox_status NOT NULL, vcpu int NOT NULL, metadata jsonb, secret_env bytea,
    created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, last_active_at timestamptz,
    last_updated timestamptz NOT NULL DEFAULT now());`;

const [teamId, hostId, sandboxUuid] = [randomUUID(), randomUUID(), randomUUID()];
const key = generateApiKey();
const role = `reader_${randomBytes(4).toString('hex')}`;
const host = `80-${encodeId('cl', sandboxUuid)}.localhost`;

let db: TestDatabase;
let agent: EchoAgent;
let started: StartedApp;

beforeAll(async () => {
  [db, agent] = [await createTestDatabase({ isEmpty: true }), await startEchoAgent()];
  await db.query(FOREIGN_SCHEMA);
  await db.query(`INSERT INTO teams (id, name, slug, tier) VALUES ($1, 'T', 't', 'pro')`, [teamId]);
  await db.query(
    `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix, key_mask) VALUES ($1, $2, 'k', $3, $4, '*')`,
    [randomUUID(), teamId, hashApiKey(key), apiKeyPrefix(key)],
  );
  const address = `127.0.0.1:${agent.port}`;
  await db.query(
    `INSERT INTO hosts (id, type, region, address, status) VALUES ($1, 'm', 'eu', $2, 'online')`,
    [hostId, address],
  );
  await db.query(
    `INSERT INTO sandboxes (id, team_id, host_id, template, status, vcpu) VALUES ($1, $2, $3, 'x', 'running', 2)`,
    [sandboxUuid, teamId, hostId],
  );
  await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reader'`);
  await db.query(`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
  await db.query(`GRANT SELECT ON teams, team_api_keys, hosts, sandboxes TO ${role}`);
  const url = new URL(db.url);
  url.username = role;
  url.password = 'reader';
  started = await startApp({ db: { ...db, url: url.href }, env: { MIGRATIONS: 'off' } });
});
afterAll(async () => {
  await started.close();
  await agent.close();
  await db.drop();
  const admin = new Client({ connectionString: inject('postgresAdminUrl') });
  await admin.connect();
  await admin.query(`DROP ROLE ${role}`);
  await admin.end();
});

async function ask(lines: readonly string[] = [`X-API-Key: ${key}`]): Promise<Answer> {
  const connection = await RawConnection.open(started.port);
  connection.send(['GET /x HTTP/1.1', `Host: ${host}`, ...lines, '', ''].join('\r\n'));
  const answer = await wholeAnswer(connection);
  connection.close();
  return answer;
}

describe("the platform's own database, with MIGRATIONS=off and a role that may only read", () => {
  it('is enough to proxy', async () => {
    expect(await ask()).toMatchObject({ status: 200, body: 'GET /x ' });
    expect((await ask([])).status).toBe(401);
    expect((await ask([`X-API-Key: ${generateApiKey()}`])).status).toBe(401);
  });

  it('has no triggers of ours: the change feed says so, and readiness accepts it', async () => {
    expect(started.app.get(PostgresChangeFeed).state).toBe('absent');
    expect((await fetch(`${started.url}/readyz`)).status).toBe(200);
  });

  it('is not written to: no table, no trigger, no last_used, no refused attempt', async () => {
    const changes = async () =>
      db.query(`SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int AS rows,
        (SELECT count(*)::int FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) AS tables,
        (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
        (SELECT xact_rollback::int FROM pg_stat_database WHERE datname = current_database()) AS refused
        FROM pg_stat_user_tables`);
    const before = await changes();
    for (let i = 0; i < 20; i++) await ask();
    // longer than `last_used` would be collected for
    await new Promise((resolve) => void setTimeout(resolve, 1_500));
    expect(await changes()).toEqual(before);
    expect(await db.query('SELECT 1 FROM team_api_keys WHERE last_used IS NOT NULL')).toEqual([]);
  });

  it('is asked again after 5 s at most, since nobody tells of changes', async () => {
    expect((await ask()).status).toBe(200);
    const committedAt = performance.now();
    await db.query(`UPDATE sandboxes SET status = 'paused'`);
    await expect.poll(async () => (await ask()).status, { timeout: 7_000, interval: 50 }).toBe(409);
    expect(performance.now() - committedAt).toBeLessThan(5_300);
    await db.query(`UPDATE sandboxes SET status = 'running'`);
    await expect.poll(async () => (await ask()).status, { timeout: 3_000, interval: 50 }).toBe(200);
  });
});
