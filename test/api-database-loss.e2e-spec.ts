import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEED_OPTIONS, PostgresChangeFeed } from '../src/platform/proxy-adapter/postgres-change-feed.js';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { type Call, caller, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { startTcpRelay, type TcpRelay } from './kit/tcp-relay.js';

/** A caller with a key of its own that nobody knows: memory has no answer for it. */
function stranger(url: string): Call {
  return caller(url, { 'x-api-key': generateApiKey() });
}

describe('a database that is lost while the program runs', () => {
  let db: TestDatabase;
  let relay: TcpRelay;
  let started: StartedApp;
  let anyone: Call;

  beforeAll(async () => {
    db = await createTestDatabase();
    relay = await startTcpRelay(db.url);
    started = await startApp({
      db: { ...db, url: relay.url },
      override: (builder) =>
        builder
          .overrideProvider(FEED_OPTIONS)
          .useValue({ databaseUrl: relay.url, feedUrl: relay.url, heartbeatMs: 200, timeoutMs: 500 }),
    });
    anyone = caller(started.url);
  });
  afterAll(async () => {
    await started.close();
    await relay.close();
    await db.drop();
  });

  async function expectRecovery(): Promise<void> {
    relay.restore();
    await expect.poll(async () => (await anyone('GET', '/readyz')).status, { timeout: 15_000 }).toBe(200);
    expect(started.app.get(PostgresChangeFeed).isLive).toBe(true);
    expect((await stranger(started.url)('GET', '/v1/sandboxes')).status).toBe(401);
  }

  it('is answered 503 with Retry-After, never 401, and comes back without a restart', async () => {
    const team = await newTeam(started);
    const unknown = stranger(started.url);
    // the guard knows this key from memory, so that the failure is the route's own
    expect((await team.call('GET', '/v1/sandboxes')).status).toBe(200);
    relay.cut();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive).toBe(false);
    for (const call of [unknown, team.call]) {
      const { status, headers, body } = await call('GET', '/v1/sandboxes');
      expect([status, body.error.code, headers.get('retry-after')]).toEqual([
        503,
        'directory_unavailable',
        '2',
      ]);
    }
    expect((await anyone('GET', '/healthz')).status).toBe(200);
    const ready = await anyone('GET', '/readyz');
    expect([ready.status, ready.body]).toEqual([
      503,
      { status: 'unavailable', checks: { database: 'unavailable', changeFeed: 'down', lifecycle: 'ok' } },
    ]);
    await expectRecovery();
  });

  it('that falls silent counts as lost, and no dead connection is used again', async () => {
    relay.freeze();
    await expect.poll(() => started.app.get(PostgresChangeFeed).isLive, { timeout: 2_000 }).toBe(false);
    const before = performance.now();
    const { status } = await stranger(started.url)('GET', '/v1/sandboxes');
    expect(status).toBe(503);
    expect(performance.now() - before).toBeLessThan(8_000);
    await expectRecovery();
  });
});
