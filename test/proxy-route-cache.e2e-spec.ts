import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CachedRoute, SandboxRouteCache } from '../src/sandbox-proxy/index.js';
import { startApp, type StartedApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './kit/platform-rows.js';
import { type Answer, wholeAnswer } from './kit/answer.js';
import { RawConnection } from './kit/raw-connection.js';
import { SOON_MS } from './kit/wait.js';

/** Another implementation, as a user of the module would write it. */
class PlainMapCache extends SandboxRouteCache {
  readonly calls: string[] = [];
  protected readonly map = new Map<string, CachedRoute>();
  get(key: string): CachedRoute | undefined | Promise<CachedRoute | undefined> {
    this.calls.push('get');
    return this.map.get(key);
  }
  set(key: string, route: CachedRoute, ttlMs: number): void | Promise<void> {
    this.calls.push(`set ${key} for ${ttlMs}`);
    this.map.set(key, route);
  }
  delete(key: string): void | Promise<void> {
    this.calls.push(`delete ${key}`);
    this.map.delete(key);
  }
  clear(): void | Promise<void> {
    this.calls.push('clear');
    this.map.clear();
  }
}

class SlowCache extends PlainMapCache {
  override async get(key: string) {
    await sleep(5);
    return super.get(key);
  }
  override async set(key: string, route: CachedRoute, ttlMs: number) {
    await sleep(5);
    super.set(key, route, ttlMs);
  }
  override async delete(key: string) {
    await sleep(5);
    super.delete(key);
  }
}

class DeadCache extends PlainMapCache {
  override get(): never {
    throw new Error('the cache is away');
  }
  override async set(): Promise<void> {
    throw new Error('the cache is away');
  }
  override async delete(): Promise<void> {
    throw new Error('the cache is away');
  }
  override clear(): never {
    throw new Error('the cache is away');
  }
}

let db: TestDatabase;
let agent: EchoAgent;
beforeAll(async () => {
  [db, agent] = [await createTestDatabase(), await startEchoAgent()];
});
afterAll(async () => {
  await agent.close();
  await db.drop();
});

describe.each([
  ['that is another store', PlainMapCache],
  ['that takes its time', SlowCache],
  ['whose every call fails', DeadCache],
])("a route cache put in the place of the module's own, %s", (_name, Cache) => {
  const cache = new Cache();
  let started: StartedApp;
  let team: TeamRow;
  let sandbox: SandboxRow;

  beforeAll(async () => {
    started = await startApp({
      db,
      override: (builder) => builder.overrideProvider(SandboxRouteCache).useValue(cache),
    });
    const rows = new PlatformRows(db);
    team = await rows.team();
    sandbox = await rows.sandbox(team.id, await rows.host(`127.0.0.1:${agent.port}`));
  });
  afterAll(() => started.close());

  async function ask(): Promise<Answer> {
    const connection = await RawConnection.open(started.port);
    connection.send(`GET /a HTTP/1.1\r\nHost: 80-${sandbox.id}.localhost\r\nX-API-Key: ${team.key}\r\n\r\n`);
    const answer = await wholeAnswer(connection);
    connection.close();
    return answer;
  }

  it('is used, and requests go where they should', async () => {
    for (let i = 0; i < 5; i++) expect(await ask()).toMatchObject({ status: 200, body: 'GET /a ' });
    const wrote = cache.calls.filter((call) => call.startsWith('set'));
    const key = `${sandbox.id}/${team.publicId}`;
    expect(wrote).toEqual(Cache === DeadCache ? [] : [`set ${key} for 120000`]);
  });

  it('does not keep a change from being noticed', async () => {
    await db.query(`UPDATE sandboxes SET status = 'paused' WHERE id = $1`, [sandbox.uuid]);
    await expect.poll(async () => (await ask()).status, { timeout: SOON_MS, interval: 5 }).toBe(409);
    await db.query(`UPDATE sandboxes SET status = 'running' WHERE id = $1`, [sandbox.uuid]);
    await expect.poll(async () => (await ask()).status, { timeout: SOON_MS, interval: 5 }).toBe(200);
  });
});
