import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { HostClientPool } from '../src/sandbox-proxy/agent-client/host-client-pool.js';
import { SandboxProxy } from '../src/sandbox-proxy/index.js';
import { ProxyStage, UPGRADE_LINES } from './kit/proxy-stage.js';
import { until } from './kit/wait.js';

const stage = new ProxyStage();
let agent: Server;
let host: string;
let key: string;

beforeAll(async () => {
  agent = createServer((request, response) => {
    request.on('error', () => undefined).resume();
    request.on('end', () => response.end('ok'));
  });
  await once(agent.listen(0, '127.0.0.1'), 'listening');
  host = await stage.hostOf(`127.0.0.1:${(agent.address() as AddressInfo).port}`);
  key = `X-API-Key: ${stage.team.key}`;
  timers.enable();
});
afterAll(() => {
  timers.disable();
  agent.closeAllConnections();
  agent.close();
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Timers that have been set and have neither run out nor been taken back. */
const pending = new Set<number>();
const timers = createHook({
  init: (id, type) => void (type === 'Timeout' && pending.add(id)),
  destroy: (id) => void pending.delete(id),
});

interface Left {
  readonly listeners: number;
  readonly timers: number;
  readonly open: number;
  readonly agentConnections: number;
  readonly heapBytes: number;
}

/** What is there of this process, and of one connection of a client. */
async function left(socket: Socket | null): Promise<Left> {
  await stage.roundTrip();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  collect();
  return {
    listeners:
      socket === null ? 0 : socket.eventNames().reduce((sum, event) => sum + socket.listenerCount(event), 0),
    timers: pending.size,
    open: stage.started.app.get(SandboxProxy).state.open,
    agentConnections: stage.started.app.get(HostClientPool).size,
    heapBytes: process.memoryUsage().heapUsed,
  };
}

/** Nothing has been added by that many further requests. */
function expectSame(few: Left, many: Left, requests: number): void {
  expect(many.listeners).toBeLessThanOrEqual(few.listeners);
  // Those of the program itself come and go.
  expect(many.timers).toBeLessThan(few.timers + 20);
  expect(many.open).toBe(0);
  expect(many.agentConnections).toBeLessThanOrEqual(256);
  // What the engine keeps for itself, and a hundred bytes each.
  expect(many.heapBytes - few.heapBytes).toBeLessThan(1_000_000 + requests * 100);
}

const head = (line: string, name: string, lines: readonly string[] = []) =>
  [`${line} HTTP/1.1`, `Host: ${name}`, ...lines, '\r\n'].join('\r\n');

const H2C = [
  'Connection: Upgrade, HTTP2-Settings',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
];

/** Requests after which the connection goes on, how many of them ahead of their answers. */
const KEPT: readonly [name: string, request: () => string, atATime: number][] = [
  ['plain', () => head('GET /', host, [key]), 1],
  ['pipelined', () => head('GET /', host, [key]), 32],
  ['with a body', () => `${head('POST /', host, [key, 'Content-Length: 2'])}ok`, 8],
  ['in chunks', () => `${head('POST /', host, [key, 'Transfer-Encoding: chunked'])}2\r\nok\r\n0\r\n\r\n`, 8],
  ['refused', () => head('GET /', host), 16],
  ['of the API', () => head('GET /healthz', 'localhost'), 16],
  ['refused by the API', () => head('GET /v1/sandboxes', 'localhost'), 16],
  ['offering an upgrade that is declined', () => head('GET /', host, [key, ...H2C]), 8],
  ['of the API, offering an upgrade', () => head('GET /healthz', 'localhost', H2C), 8],
  ['refused, offering an upgrade that is declined', () => head('GET /', host, H2C), 8],
  ['of the API, that want to be a WebSocket', () => head('GET /', 'localhost', UPGRADE_LINES), 8],
  [
    'that ask to be asked',
    () => `${head('POST /', host, [key, 'Expect: 100-continue', 'Content-Length: 2'])}ok`,
    8,
  ],
];

/** Counts final answers, without reading them any further. */
class AnswerCount {
  private count = 0;
  private taken = 0;
  private tail = '';

  constructor(private readonly client: Socket) {
    client.on('data', (piece) => {
      const text = this.tail + piece.toString('latin1');
      this.count += text.split(/HTTP\/1\.1 [2-5]/).length - 1;
      this.tail = /H[TP/1. ]*$/.exec(text.slice(-9))?.[0] ?? '';
    });
  }

  async further(answers: number): Promise<void> {
    this.taken += answers;
    while (this.count < this.taken) await once(this.client, 'data');
  }
}

describe('requests on one connection leave nothing behind', () => {
  it.each(KEPT)('%s', async (_, request, atATime) => {
    const accepted = once(stage.started.app.getHttpServer() as Server, 'connection');
    const client = connect({ host: '127.0.0.1', port: stage.started.port });
    onTestFinished(() => void client.destroy());
    const [socket] = (await accepted) as [Socket];
    const answers = new AnswerCount(client);
    const send = async (count: number) => {
      for (let sent = 0; sent < count; sent += atATime) {
        client.write(request().repeat(atATime));
        await answers.further(atATime);
      }
    };
    await send(1_024);
    const few = await left(socket);
    await send(10_240 - 1_024);
    expectSame(few, await left(socket), 9_216);
    // 60,000 upgrades that nobody wanted, and the end of their connection took 74 s
    const startedAtMs = performance.now();
    client.destroy();
    await once(socket, 'close');
    expect(performance.now() - startedAtMs).toBeLessThan(6_000);
  });
});

/** Connections at a time; where not all has been read that the client has sent, each is kept for a second. */
const AT_A_TIME = 200;

/** Requests with which a connection ends. */
const ENDING: readonly [name: string, request: () => string][] = [
  ['upgrades that are refused', () => head('GET /', host, UPGRADE_LINES)],
  [
    'upgrades with more behind them',
    () => head('GET /', host, UPGRADE_LINES) + head('GET /', host).repeat(20),
  ],
  ['CONNECT', () => head('CONNECT sandbox:80', host)],
  ['malformed', () => 'NONSENSE\r\n\r\n'],
  ['malformed behind others', () => `${head('GET /', host, [key]).repeat(3)}NONSENSE\r\n\r\n`],
  ['upgrades behind others', () => head('GET /', host, [key]).repeat(3) + head('GET /', host, UPGRADE_LINES)],
  ['with more than is read', () => head('GET /', host, [key]).repeat(100)],
  ['with a body that is refused', () => `${head('POST /', host, ['Content-Length: 1000'])}ok`],
  ['cut off', () => `${head('POST /', host, [key, 'Content-Length: 1000'])}ok`],
];

describe('connections leave nothing behind', () => {
  it.each(ENDING)('%s', async (name, request) => {
    const server = stage.started.app.getHttpServer() as Server;
    const connections = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    const send = async (count: number) => {
      for (let sent = 0; sent < count; sent += AT_A_TIME) {
        await Promise.all(
          Array.from({ length: AT_A_TIME }, async () => {
            const client = connect({ host: '127.0.0.1', port: stage.started.port });
            client.on('error', () => undefined).resume();
            client.write(request());
            if (name === 'cut off') setTimeout(() => client.resetAndDestroy(), 5);
            if (!client.closed) await once(client, 'close');
          }),
        );
      }
    };
    await send(200);
    await until(async () => (await connections()) === 0);
    const few = await left(null);
    expect(few.open).toBe(0);
    await send(2_000);
    await until(async () => (await connections()) === 0);
    await until(() => pending.size < few.timers + 20, 'timers run out');
    expectSame(few, await left(null), 2_000);
  });
});
