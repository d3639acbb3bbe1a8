import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SandboxUpgradeListener } from '../src/sandbox-proxy/entrance/upgrade.listener.js';
import { SandboxProxy } from '../src/sandbox-proxy/index.js';
import { wholeAnswer } from './kit/answer.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows, type SandboxRow, type TeamRow } from './kit/platform-rows.js';
import { newDirectory, Program, removeDirectory } from './kit/program.js';
import { ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import { RawConnection } from './kit/raw-connection.js';
import { type RawServer, startRawServer } from './kit/raw-server.js';
import { UPGRADE_LINES } from './kit/requests.js';

// What is still under way when the program has waited long enough is told why it ends.

describe('when the grace of a program that stops is over', () => {
  const directory = newDirectory();
  let db: TestDatabase;
  let agent: RawServer;
  let team: TeamRow;
  let sandbox: SandboxRow;

  beforeAll(async () => {
    [db, agent] = await Promise.all([createTestDatabase(), startRawServer()]);
    const rows = new PlatformRows(db);
    team = await rows.team();
    sandbox = await rows.sandbox(team.id, await rows.host(`127.0.0.1:${agent.port}`));
  });
  afterAll(async () => {
    await agent.close();
    await db.drop();
    removeDirectory(directory);
  });

  /** A request that waits for the agent, and the program. */
  const begin = async (lines: readonly string[]) => {
    const program = new Program(directory, {
      PORT: '0',
      DATABASE_URL: db.url,
      ADMIN_TOKEN: 'an-operator-token-of-the-test',
      SHUTDOWN_GRACE_MS: '500',
    });
    await program.url();
    const client = await RawConnection.open(program.port);
    const head = ['GET / HTTP/1.1', `Host: 3000-${sandbox.id}.localhost`, `X-API-Key: ${team.key}`, ...lines];
    client.send([...head, '\r\n'].join('\r\n'));
    const upstream = await agent.accept();
    await upstream.head();
    return { program, client, upstream };
  };

  it.each([
    ['HTTP', []],
    ['upgrade', UPGRADE_LINES],
  ] as const)('a request that waits for its answer is answered 503 shutting_down (%s)', async (_, lines) => {
    const { program, client } = await begin(lines);
    program.signal('SIGTERM');
    const answer = await wholeAnswer(client);
    expect([answer.status, answer.header('x-sandbox-error'), answer.header('connection')]).toEqual([
      503,
      'proxy;shutting_down',
      'close',
    ]);
    expect(await client.closed()).not.toBeNull();
    expect(await program.exited()).toBe(0);
    expect(program.stdout).toContain('"error":"shutting_down"');
  });

  it('an answer that has begun is cut off, and does not look complete', async () => {
    const { program, client, upstream } = await begin([]);
    upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await client.until('1\r\na\r\n');
    program.signal('SIGTERM');
    expect((await client.rest()).bytes).toBe('');
    expect(await program.exited()).toBe(0);
  });

  it('a tunnel of another protocol is cut off', async () => {
    const { program, client, upstream } = await begin(['Connection: Upgrade', 'Upgrade: other']);
    upstream.send(SWITCHING.replace('websocket', 'other'));
    expect((await wholeAnswer(client)).status).toBe(101);
    program.signal('SIGTERM');
    expect((await client.rest()).bytes).toBe('');
    expect(await program.exited()).toBe(0);
  });
});

describe('while the application stops', () => {
  const stage = new ProxyStage();
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const drain = () => stage.started.app.get(SandboxProxy).drain();

  it('an upgrade that no group knows is reset by closeAll', async () => {
    const { client } = await stage.begin(stage.knock('upgrade'));
    stage.started.app.get(SandboxUpgradeListener).closeAll();
    expect(await client.closed()).toBe('rst');
  });

  it('an upgrade is refused 503 shutting_down', async () => {
    await drain();
    const answer = await stage.ask(stage.knock('upgrade'));
    expect([answer.status, answer.header('x-sandbox-error'), answer.header('retry-after')]).toEqual([
      503,
      'proxy;shutting_down',
      '5',
    ]);
  });

  it('a request is served', async () => {
    await drain();
    const { answer } = await stage.exchange(stage.knock('HTTP'), OK);
    expect([answer.status, answer.body]).toEqual([200, 'ok']);
  });
});
