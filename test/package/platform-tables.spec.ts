import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../kit/database.js';
import { PlatformRows, type SandboxRow, type TeamRow } from '../kit/platform-rows.js';
import { Agent } from './agent.js';
import { AppProcess } from './app-process.js';
import { converse } from './conversation.js';
import { ask, codeOf, openSocket } from './sandbox-client.js';

let db: TestDatabase;
let agent: Agent;
let app: AppProcess;
let team: TeamRow;
let sandbox: SandboxRow;

beforeAll(async () => {
  db = await createTestDatabase();
  agent = await Agent.start();
  const rows = new PlatformRows(db);
  team = await rows.team();
  sandbox = await rows.sandbox(team.id, await rows.host(agent.address));
  app = await AppProcess.start(inject('tablesApp'), 'tables-host.mjs', { DATABASE_URL: db.url });
});
afterAll(async () => {
  await app?.stop('SIGKILL');
  await agent?.stop();
  await db?.drop();
});

test('on the tables of the platform, the adapter of the package is all that an application needs', async () => {
  const place = { port: app.port, sandboxId: sandbox.id };
  const fields = { 'X-API-Key': team.key };
  expect((await ask(place, { fields })).status).toBe(200);
  expect(codeOf(await ask(place))).toBe('unauthorized');

  // its change feed hears the tables
  const socket = await openSocket(place, fields);
  await db.query('DELETE FROM team_api_keys WHERE id = $1', [team.keyId]);
  expect((await socket.closed).code).toBe(1008);
  expect(codeOf(await ask(place, { fields }))).toBe('unauthorized');
});

test('it mounts no routes of the platform', async () => {
  for (const path of ['/v1/api-keys', '/v1/sandboxes', '/healthz', '/']) {
    const { said } = await converse(app.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(said.split('\r\n')[0]).toBe('HTTP/1.1 404 Not Found');
  }
});
