import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent, answer } from './kit/agent.js';
import { wholeAnswer } from './kit/answer.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows, type TeamRow } from './kit/platform-rows.js';
import { newDirectory, Program, removeDirectory } from './kit/program.js';
import { RawConnection } from './kit/raw-connection.js';
import { startTcpRelay, type TcpRelay } from './kit/tcp-relay.js';
import { DOORS, SWITCHING, UPGRADE_LINES } from './kit/requests.js';
import { until } from './kit/wait.js';

/** Fewer are not enough to load the program. */
const OPEN_FILES = 512;
/** More than the program's clients may have of them. */
const STRANGERS = 500;
const OPERATOR = 'an-operator-token-of-the-test';

const directory = newDirectory();
const opened: RawConnection[] = [];
let db: TestDatabase;
let relay: TcpRelay;
let program: Program;
let agent: Agent;
let team: TeamRow;
let host: string;

beforeAll(async () => {
  db = await createTestDatabase();
  relay = await startTcpRelay(db.url);
  program = new Program(
    directory,
    { PORT: '0', DATABASE_URL: relay.url, ADMIN_TOKEN: OPERATOR },
    { through: ['sh', '-c', `ulimit -n ${OPEN_FILES} && exec "$@"`, 'sh'] },
  );
  await program.url();
  agent = await Agent.start(({ send }) => void send(answer(200, 'ok', ['Connection: close'])));
  const rows = new PlatformRows(db);
  team = await rows.team();
  host = `3000-${(await rows.sandbox(team.id, await rows.host(agent.address))).id}.localhost`;
});

afterAll(async () => {
  for (const connection of opened) connection.close();
  await program.end('SIGTERM');
  agent.close();
  await relay.close();
  await db.drop();
  removeDirectory(directory);
});

async function open(): Promise<RawConnection> {
  const connection = await RawConnection.open(program.port);
  opened.push(connection);
  return connection;
}

/** A request of the team that means well. */
const request = (lines: readonly string[] = []) =>
  ['GET / HTTP/1.1', `Host: ${host}`, `X-API-Key: ${team.key}`, ...lines, '\r\n'].join('\r\n');

async function ask(client: RawConnection) {
  client.send(request());
  return wholeAnswer(client);
}

describe('strangers', () => {
  // With 1,024 descriptors, 999 of them locked everybody out; later, only those with a body that never ends.
  it.each([
    ['say nothing', ''],
    ['stop in the middle of a head', 'GET / HTTP/1.1\r\nHost: local'],
    ['are done with a request', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    [
      'send a body that does not end',
      'POST /v1/teams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ],
  ])('lock nobody out: they %s', async (_, bytes) => {
    const strangers: RawConnection[] = [];
    for (let index = 0; index < STRANGERS; index++) {
      const stranger = await open();
      stranger.send(bytes);
      strangers.push(stranger);
    }
    expect(await ask(await open())).toMatchObject({ status: 200, body: 'ok' });
    expect(program.descriptors).toBeLessThan(OPEN_FILES - 40);
    // the longest idle have gone
    await until(() => strangers.filter(({ isOver }) => isOver).length > STRANGERS / 2 - 20);
    expect(strangers.at(-1)?.isOver).toBe(false);
    expect(strangers[0]?.isOver).toBe(true);
    for (const stranger of strangers) stranger.close();
  });

  it('take no connection from a client with a key whose request is under way', async () => {
    let finish: (() => void) | undefined;
    agent.script = async ({ send }) => {
      await new Promise<void>((resolve) => (finish = resolve));
      send(answer(200, 'late', ['Connection: close']));
    };
    const before = agent.received.length;
    const client = await open();
    client.send(request());
    await agent.request(before);
    for (let index = 0; index < STRANGERS; index++) await open();
    finish?.();
    expect(await wholeAnswer(client)).toMatchObject({ status: 200, body: 'late' });
    agent.script = ({ send }) => void send(answer(200, 'ok', ['Connection: close']));
    for (const stranger of opened) stranger.close();
  });

  it.each([
    ['team', '/v1/sandboxes', () => `X-API-Key: ${team.key}`],
    ['operator', '/v1/hosts', () => `Authorization: Bearer ${OPERATOR}`],
  ])('take no connection from a client that the API knows (%s)', async (_, path, credential) => {
    const lines = ['Host: localhost', credential()];
    const client = await open();
    client.send([`GET ${path} HTTP/1.1`, ...lines, '\r\n'].join('\r\n'));
    expect((await wholeAnswer(client)).status).toBe(200);
    const json = ['Content-Type: application/json', 'Content-Length: 2'];
    client.send([`POST ${path} HTTP/1.1`, ...lines, ...json, '\r\n{'].join('\r\n'));
    for (let index = 0; index < STRANGERS; index++) await open();
    client.send('}');
    expect((await wholeAnswer(client)).header('x-sandbox-error')).toBeUndefined();
    for (const stranger of opened) stranger.close();
  });

  it('take no WebSocket that a key has opened', async () => {
    agent.script = async ({ connection, tunnel }) => {
      const input = tunnel(SWITCHING);
      connection.send(`echo ${(await input.take(4)).toString()}`);
    };
    const client = await open();
    client.send(request(UPGRADE_LINES));
    expect((await wholeAnswer(client)).status).toBe(101);
    for (let index = 0; index < STRANGERS; index++) await open();
    client.send('ping');
    expect(await client.bytes(9)).toBe('echo ping');
    agent.script = ({ send }) => void send(answer(200, 'ok', ['Connection: close']));
    for (const stranger of opened) stranger.close();
  });
});

// One connection that a public port had let in was as good as one with a key.
describe.each(DOORS)('strangers at a public port (%s)', (door) => {
  it('lock nobody out, however long their requests take', async () => {
    agent.script = ({ connection, request, tunnel }) => {
      if (!request.isUpgrade) return;
      tunnel(SWITCHING);
      connection.socket.once('end', () => connection.close());
    };
    const path = `/v1/sandboxes/${/cl-\w+/.exec(host)?.[0]}/ports/3000`;
    const put = await open();
    put.send(
      `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${team.key}\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n{"visibility":"public"}`,
    );
    expect((await wholeAnswer(put, 'PUT')).status).toBe(200);
    const lines = [`Host: ${host}`, ...(door === 'upgrade' ? UPGRADE_LINES : [])];
    const strangers: RawConnection[] = [];
    for (let index = 0; index < STRANGERS; index++) {
      const stranger = await open();
      stranger.send(['GET / HTTP/1.1', ...lines, '\r\n'].join('\r\n'));
      strangers.push(stranger);
    }
    const api = await open();
    api.send(`GET /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${team.key}\r\n\r\n`);
    expect((await wholeAnswer(api)).status).toBe(200);
    expect(program.descriptors).toBeLessThan(OPEN_FILES - 20);
    agent.script = ({ send }) => void send(answer(200, 'ok', ['Connection: close']));
    for (const stranger of strangers) stranger.close();
  });
});

/** The soft limit; the hard one stays, so that it can be raised again. */
const limit = (openFiles: number) => {
  const { status, stderr } = spawnSync('prlimit', [
    `--pid=${program.pid}`,
    `--nofile=${openFiles}:${OPEN_FILES}`,
  ]);
  if (status !== 0) throw new Error(`prlimit: ${String(stderr)}`);
};
const lowestFree = () => {
  const taken = new Set(readdirSync(`/proc/${program.pid}/fd`).map(Number));
  let free = 0;
  while (taken.has(free)) free += 1;
  return free;
};

describe('a process without a descriptor left', () => {
  it('answers 503 proxy_busy, and goes on believing where the sandbox is', async () => {
    const client = await open();
    expect((await ask(client)).status).toBe(200);
    const received = agent.received.length;
    limit(lowestFree());
    const refused = await ask(client);
    expect(refused.status).toBe(503);
    expect(refused.header('x-sandbox-error')).toBe('proxy;proxy_busy');
    expect(refused.header('retry-after')).toBe('1');
    expect(agent.received.length).toBe(received);
    // nobody can be asked now where the sandbox is
    relay.freeze();
    limit(OPEN_FILES);
    expect(await ask(client)).toMatchObject({ status: 200, body: 'ok' });
  });
});
