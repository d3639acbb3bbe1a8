import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { type Call, caller } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows, type SandboxRow } from './kit/platform-rows.js';

// On the platform's own database our tables are missing: everything about links and ports was a 500.
describe('links and ports on a database without tables for them', () => {
  let db: TestDatabase;
  let started: StartedApp;
  let call: Call;
  let sandbox: SandboxRow;
  const link = encodeId('link', randomUUID());

  beforeAll(async () => {
    db = await createTestDatabase();
    await db.query('DROP TABLE sandbox_sessions, sandbox_links, sandbox_ports CASCADE');
    await db.query('DROP FUNCTION sandbox_proxy_end_sessions() CASCADE');
    await db.query('DROP FUNCTION sandbox_proxy_end_sessions_of_team() CASCADE');
    await db.query('DROP FUNCTION sandbox_proxy_drop_access() CASCADE');
    const rows = new PlatformRows(db);
    const team = await rows.team();
    sandbox = await rows.sandbox(team.id, null);
    started = await startApp({ db, env: { MIGRATIONS: 'off' } });
    call = caller(started.url, { 'x-api-key': team.key });
  });
  afterAll(async () => {
    await started.close();
    await db.drop();
  });

  it.each<[string, string, unknown, number, string]>([
    ['POST', 'links', { port: 80 }, 409, 'there are no preview links on this database'],
    ['DELETE', `links/${link}`, undefined, 404, 'link not found'],
    ['PUT', 'ports/80', {}, 409, 'there are no port settings on this database'],
    ['DELETE', 'ports/80', undefined, 404, 'port not found'],
  ])('%s %s is refused with a reason', async (method, path, body, status, reason) => {
    const answer = await call(method, `/v1/sandboxes/${sandbox.id}/${path}`, body);
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(reason)]);
  });

  it.each(['links', 'ports'])('GET %s is an empty list', async (path) => {
    const answer = await call('GET', `/v1/sandboxes/${sandbox.id}/${path}`);
    expect([answer.status, answer.body.items]).toEqual([200, []]);
  });

  it('leaves the rest of the API as it is', async () => {
    const path = `/v1/sandboxes/${sandbox.id}`;
    expect((await call('PATCH', path, { status: 'paused' })).status).toBe(200);
    expect((await call('DELETE', path)).status).toBe(204);
  });
});
