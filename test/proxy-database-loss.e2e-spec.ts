import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { FEED_OPTIONS, PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { type StartedApp, startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './kit/platform-rows.js';
import { DOORS, MISSING, UPGRADE_LINES } from './kit/proxy-stage.js';
import { type Answer, wholeAnswer } from './kit/answer.js';
import { RawConnection } from './kit/raw-connection.js';
import { startTcpRelay, type TcpRelay } from './kit/tcp-relay.js';

let db: TestDatabase;
let relay: TcpRelay;
let agent: EchoAgent;
let started: StartedApp;
let team: TeamRow;
let warm: SandboxRow;
let cold: SandboxRow;

beforeAll(async () => {
  [db, agent] = [await createTestDatabase(), await startEchoAgent()];
  const rows = new PlatformRows(db);
  team = await rows.team();
  const hostId = await rows.host(`127.0.0.1:${agent.port}`);
  [warm, cold] = [await rows.sandbox(team.id, hostId), await rows.sandbox(team.id, hostId)];
  relay = await startTcpRelay(db.url);
  started = await startApp({
    db: { ...db, url: relay.url },
    override: (builder) =>
      builder
        .overrideProvider(FEED_OPTIONS)
        .useValue({ databaseUrl: relay.url, feedUrl: relay.url, heartbeatMs: 200, timeoutMs: 500 }),
  });
});
afterAll(async () => {
  await started.close();
  await relay.close();
  await agent.close();
  await db.drop();
});

async function ask(host: string, key: string = team.key, lines: readonly string[] = []): Promise<Answer> {
  const connection = await RawConnection.open(started.port);
  connection.send(['GET / HTTP/1.1', `Host: ${host}`, `X-API-Key: ${key}`, ...lines, '', ''].join('\r\n'));
  const answer = await wholeAnswer(connection);
  connection.close();
  return answer;
}

const hostOf = ({ id }: SandboxRow) => `80-${id}.localhost`;

describe('a database that is lost while sandboxes are in use', () => {
  it('leaves cached routes served until their time, says 503 to the others, and is found again', async () => {
    expect((await ask(hostOf(warm))).status).toBe(200);
    relay.cut();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive).toBe(false);
    expect((await ask(hostOf(warm))).status).toBe(200);

    // What nobody has asked for yet is neither 401 nor 404: the database could not say.
    for (const door of DOORS) {
      const lines = door === 'upgrade' ? UPGRADE_LINES : [];
      for (const [host, key] of [
        [hostOf(cold), team.key],
        [MISSING, team.key],
        [hostOf(warm), generateApiKey()],
      ] as const) {
        const answer = await ask(host, key, lines);
        expect([answer.status, answer.header('x-sandbox-error'), answer.header('retry-after')]).toEqual([
          503,
          'proxy;directory_unavailable',
          '2',
        ]);
        expect(answer.body).not.toMatch(/ECONN|127\.0\.0\.1|postgres/i);
      }
    }

    // While the change feed is down, that time is 5 s.
    await expect
      .poll(async () => (await ask(hostOf(warm))).status, { timeout: 7_000, interval: 100 })
      .toBe(503);

    relay.restore();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive, { timeout: 15_000 }).toBe(true);
    for (const sandbox of [warm, cold]) expect((await ask(hostOf(sandbox))).status).toBe(200);
    expect((await ask(MISSING)).status).toBe(404);
    expect((await ask(hostOf(warm), generateApiKey())).status).toBe(401);
  });

  it('does not hide what was committed while it was away', async () => {
    expect((await ask(hostOf(warm))).status).toBe(200);
    relay.cut();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive).toBe(false);
    await db.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [warm.uuid]);
    expect((await ask(hostOf(warm))).status).toBe(200);
    relay.restore();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive, { timeout: 15_000 }).toBe(true);
    expect((await ask(hostOf(warm))).status).toBe(409);
  });

  it('is no answer about a sandbox or a key while it has another name, and is asked again afterwards', async () => {
    const name = new URL(db.url).pathname.slice(1);
    const admin = new Client({ connectionString: inject('postgresAdminUrl') });
    await admin.connect();
    const fresh = await new PlatformRows(db).sandbox(team.id, null, 'paused');
    const list = () => fetch(`${started.url}/v1/sandboxes`, { headers: { 'x-api-key': team.key } });
    // the key is in memory from now on, so that the failure is the route's own
    expect((await list()).status).toBe(200);
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1', [
      name,
    ]);
    for (const [from, to] of [
      [name, `${name}_away`],
      [`${name}_away`, name],
    ]) {
      // 55000 at first, then 3D000
      const api = await list();
      expect([api.status, api.headers.get('retry-after')]).toEqual([503, '2']);
      expect((await ask(hostOf(fresh))).header('x-sandbox-error')).toBe('proxy;directory_unavailable');
      expect((await ask(MISSING, generateApiKey())).status).toBe(503);
      await admin.query(`ALTER DATABASE ${from} RENAME TO ${to}`);
    }
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await admin.end();
    expect((await ask(hostOf(fresh))).status).toBe(409);
    expect((await ask(MISSING)).status).toBe(404);
    expect((await ask(MISSING, generateApiKey())).status).toBe(401);
  });
});
