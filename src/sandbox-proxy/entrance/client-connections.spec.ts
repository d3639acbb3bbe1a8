import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { createAuthority } from '../../../test/kit/certificates.js';
import type { RawConnection } from '../../../test/kit/raw-connection.js';
import { requestHead, type Served, serve } from '../../../test/kit/serve.js';
import { settled, until } from '../../../test/kit/wait.js';
import { noteAdmitted } from '../address/peer.js';
import { takenWhileOthersWait } from '../node-internals/untaken-bytes.js';
import { type ListenerLimits, type ListenerProtection, protectListener } from './protect-listener.js';

const certificate = await createAuthority('localhost');
/** More than the kernel takes for a client that does not read. */
const LARGE = Buffer.alloc(30_000_000);
const MAX = 16;

const DOORS: [string, () => Server][] = [
  ['http', createServer],
  ['https', () => createHttpsServer(certificate)],
];

interface Stage extends Served {
  readonly protection: ListenerProtection;
  /** A connection whose request has reached the application. */
  begin(path: string, from?: string): Promise<RawConnection>;
  /** Waits until the first connection's client takes no more; how much it has taken. */
  stuck(): Promise<number>;
}

/** Paths: `/known` and `/large` are admitted; only `/large` and `/quick` are answered. */
async function stageOf(server: Server, limits: ListenerLimits): Promise<Stage> {
  const protection = protectListener(server, limits);
  server.on('request', (request, response) => {
    if (request.url === '/known' || request.url === '/large') noteAdmitted(request.socket);
    if (request.url === '/large') response.end(LARGE);
    if (request.url === '/quick') response.end('ok');
  });
  const served = await serve(server);
  const stuck = () => settled(() => takenWhileOthersWait(served.accepted[0] as Socket) ?? 0);
  const begin = async (path: string, from?: string) => {
    const client = await served.connect(from);
    if (path === '/large') client.socket.pause();
    client.send(requestHead(`POST ${path}`, ['Transfer-Encoding: chunked']));
    for (;;) {
      const [request] = (await once(server, 'request')) as [IncomingMessage];
      if (request.url === path) return client;
    }
  };
  return { ...served, protection, begin, stuck };
}

async function times<Result>(count: number, make: () => Promise<Result>): Promise<Result[]> {
  const made: Result[] = [];
  for (let index = 0; index < count; index++) made.push(await make());
  return made;
}

const open = (clients: readonly RawConnection[]) => clients.filter(({ isOver }) => !isOver).length;

/** Whether a request is answered. */
async function isServed(client: RawConnection): Promise<boolean> {
  client.send(requestHead('GET /quick'));
  return (await wholeAnswer(client)).body === 'ok';
}

it('a connection that is refused is told so, with the name of its refusal', async () => {
  const stage = await stageOf(createServer(), { maxConnections: 1 });
  await stage.begin('/known');
  const answer = await wholeAnswer(await stage.connect());
  expect([answer.status, answer.header('x-sandbox-error'), answer.header('retry-after')]).toEqual([
    503,
    'proxy;proxy_busy',
    '1',
  ]);
  expect(JSON.parse(answer.body)).toMatchObject({
    error: { code: 'proxy_busy', requestId: answer.header('x-request-id') },
  });
});

describe.each(DOORS)('client connections within their bound (%s)', (_, create) => {
  it('above it the new one is refused, where all others are known and in use', async () => {
    const stage = await stageOf(create(), { maxConnections: 2 });
    const known = await times(2, () => stage.begin('/known'));
    expect(await (await stage.connectTcp()).closed()).not.toBeNull();
    expect(open(known)).toBe(2);
  });

  // A body that never ends held a connection for ever: nothing but idle ones were closed.
  it('strangers with a request under way are closed in favour of a new one, the oldest first', async () => {
    const stage = await stageOf(create(), { maxConnections: 2 });
    const known = await stage.begin('/known');
    const stranger = await stage.begin('/endless');
    expect(await isServed(await stage.connect())).toBe(true);
    expect(await stranger.closed()).not.toBeNull();
    expect(open([known])).toBe(1);
  });

  it('a network of strangers that holds many loses one for each that comes from elsewhere', async () => {
    const stage = await stageOf(create(), { maxConnections: MAX });
    const crowd = await times(MAX - 2, () => stage.begin('/endless'));
    const idle = await stage.connect('127.0.0.2');
    expect(await isServed(idle)).toBe(true);
    const elsewhere = await times(3, () => stage.connect('127.0.0.3'));
    for (const client of elsewhere) expect(await isServed(client)).toBe(true);
    expect(await settled(() => open(crowd), 100)).toBe(MAX - 4);
    expect(open([idle, ...elsewhere])).toBe(4);
  });

  it('a trusted proxy is no such network', async () => {
    const stage = await stageOf(create(), { maxConnections: MAX, trustedProxies: ['127.0.0.1'] });
    const behindProxy = await times(MAX - 1, () => stage.begin('/endless'));
    const idle = await stage.connect('127.0.0.2');
    expect(await isServed(idle)).toBe(true);
    expect(await isServed(await stage.connect('127.0.0.3'))).toBe(true);
    expect(await idle.closed()).not.toBeNull();
    expect(open(behindProxy)).toBe(MAX - 1);
  });

  it('a client that has not read for 10 s goes before a stranger that reads, be it known or not', async () => {
    const stage = await stageOf(create(), { maxConnections: MAX });
    const unread = await stage.begin('/large');
    const stranger = await stage.begin('/endless');
    await times(MAX - 2, () => stage.begin('/known'));
    await stage.stuck();
    stage.protection.closeIdle(performance.now() - 10_000);
    expect(await isServed(await stage.connect())).toBe(true);
    unread.socket.resume();
    expect(await unread.closed()).not.toBeNull();
    expect(open([stranger])).toBe(1);
  });
});

describe('a TLS handshake', () => {
  // Only connections whose handshake was done were counted, but each has a descriptor.
  it('that never ends is counted, and closed like an idle connection', async () => {
    const stage = await stageOf(createHttpsServer(certificate), { maxConnections: 4 });
    const silent = await times(4, () => stage.connectTcp());
    expect(await isServed(await stage.connect())).toBe(true);
    expect(await silent[0]?.closed()).not.toBeNull();
    expect(open(silent)).toBe(3);
  });
});

describe.each(DOORS)('a client that does not read (%s)', (_, create) => {
  // An answer that its application had ended had no clock any more, and those that waited behind it had none either.
  it('is closed when it has taken nothing for the whole time, and no sooner', async () => {
    const stage = await stageOf(create(), { unreadTimeoutMs: 5_000 });
    await stage.begin('/large');
    const [socket] = stage.accepted as [Socket];
    await stage.stuck();
    const { closeIdle } = stage.protection;
    closeIdle(1_000);
    closeIdle(5_999);
    expect(socket.destroyed).toBe(false);
    closeIdle(6_000);
    expect(socket.destroyed).toBe(true);
  });

  it('is counted anew when it has taken something, even of one large piece', async () => {
    const stage = await stageOf(create(), { unreadTimeoutMs: 5_000 });
    const client = await stage.begin('/large');
    const [socket] = stage.accepted as [Socket];
    const before = await stage.stuck();
    const { closeIdle } = stage.protection;
    closeIdle(1_000);
    client.socket.resume();
    await until(() => (takenWhileOthersWait(socket) ?? 0) > before);
    client.socket.pause();
    await stage.stuck();
    closeIdle(5_999);
    closeIdle(6_000);
    expect(socket.destroyed).toBe(false);
    closeIdle(10_999);
    expect(socket.destroyed).toBe(true);
  });

  it('and has the whole answer waiting in the kernel is none', async () => {
    const stage = await stageOf(create(), { unreadTimeoutMs: 1 });
    const client = await stage.connect();
    expect(await isServed(client)).toBe(true);
    client.socket.pause();
    client.send(requestHead('GET /quick'));
    stage.protection.closeIdle(1_000);
    stage.protection.closeIdle(2_000);
    client.socket.resume();
    expect((await wholeAnswer(client)).body).toBe('ok');
  });
});
