import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { A, OK, Told } from '../../../test/kit/pool-and-agent.js';
import { type RawServer, startRawServer } from '../../../test/kit/raw-server.js';
import { coolDownMs } from './cool-down.js';
import { UpstreamCall } from './upstream-call.js';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.js';

/** A pool of one connection that starts no call anew. */
class Owner implements ConnectionOwner {
  nowMs = 0;
  readonly teamId = 'flood';
  readonly firstByteTimeoutMs = 1_000;
  readonly diedIdle: [UpstreamCall, unsent: string | null][] = [];
  onIdle(): void {}
  onProven(): void {}
  onConnectTimeout(): void {}
  onGone(): void {}
  onDiedIdle(call: UpstreamCall, unsent: string | null): boolean {
    this.diedIdle.push([call, unsent]);
    return true;
  }
}

let agent: RawServer;
beforeEach(async () => {
  agent = await startRawServer();
});
afterEach(() => agent.close());

const headOf = (method: string) => `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;

async function open() {
  const owner = new Owner();
  const socket = connect(agent.port, '127.0.0.1');
  const connection = new UpstreamConnection(socket, owner);
  await once(socket, 'connect');
  connection.onConnected();
  const start = (method = 'GET') => {
    const told = new Told();
    const head = headOf(method);
    const origin = { secure: false, hostname: '127.0.0.1', port: agent.port, authority: 'a' };
    const request = {
      origin,
      sandboxId: A,
      teamId: 't',
      method,
      head,
      hasBody: method === 'POST',
      isUpgrade: false,
    };
    const call = new UpstreamCall(request, told);
    call.startOn(connection);
    return { told, call };
  };
  const answer = (text: string) => connection.onRead(Buffer.from(text, 'latin1'), text.length);
  return { owner, connection, start, answer, atAgent: await agent.accept() };
}

it('sends the head of a request when the turn of the event loop ends', async () => {
  const { start, atAgent, answer } = await open();
  const { told } = start();
  expect(await atAgent.head()).toMatch(/^GET \/ HTTP/);
  answer(OK);
  expect(await told.done).toBe('200 ok end');
});

// CVE-2026-48931 in the moment between taking a connection from the pool and writing to it: the agent has written an
// answer that nobody asked for, and the next request would take it for its own.
it('takes nothing for an answer that came before the request had left', async () => {
  const { owner, start, atAgent, answer, connection } = await open();
  const first = start();
  await atAgent.head();
  answer(OK);
  await first.told.done;
  const second = start();
  answer('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
  await turnEnd();
  expect(second.told.words).toEqual([]);
  expect(owner.diedIdle).toEqual([[second.call, headOf('GET')]]);
  expect(connection.isOpen).toBe(false);
  expect((await atAgent.rest()).bytes).toBe('');
});

it('counts the time to the first byte from when the request has left', async () => {
  const { owner, start, atAgent, connection } = await open();
  start();
  owner.nowMs = 700;
  await atAgent.head();
  expect(connection.deadlineMs).toBe(1_700);
});

describe('answers in tiny chunks', () => {
  const begin = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  const tiny = '1\r\na\r\n'.repeat(10_000);
  const timers = () => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;

  it('make only connections of the same team wait', async () => {
    const { start, atAgent, answer } = await open();
    start();
    await atAgent.head();
    answer(begin);
    for (let reads = 0; reads < 20; reads++) answer(tiny);
    expect(coolDownMs('flood', 513, 0)).toBeGreaterThan(20 * 7.5);
    expect(coolDownMs('another', 513, 0)).toBeLessThan(5);
  });

  it('leave no timer behind when the connection closes', async () => {
    const { start, atAgent, answer, connection } = await open();
    start();
    await atAgent.head();
    answer(begin);
    const before = timers();
    answer(tiny);
    expect(timers()).toBe(before + 1);
    connection.close();
    expect(timers()).toBe(before);
  });
});

describe('a body', () => {
  it('leaves with its head when the turn of the event loop ends, as one write', async () => {
    const { start, atAgent, connection } = await open();
    const writes = writesOf(connection.socket);
    const { call } = start('POST');
    call.write(Buffer.from('h\xe9l', 'latin1'));
    call.write(Buffer.from('lo'), '2\r\n', '\r\n0\r\n\r\n');
    call.finish();
    const request = `${headOf('POST')}h\xe9l2\r\nlo\r\n0\r\n\r\n`;
    expect(await atAgent.bytes(request.length)).toBe(request);
    expect(writes).toEqual([request.length]);
  });

  it.each([
    [8_192, 1],
    [8_193, 0],
  ])('of %i bytes is held until then: %i', async (size, held) => {
    const { start, atAgent, connection } = await open();
    const { call } = start('POST');
    call.write(Buffer.alloc(size - 1, 'a'));
    call.write(Buffer.from('b'));
    expect(connection.socket.bytesWritten > 0).toBe(held === 0);
    await turnEnd();
    call.write(Buffer.from('c'));
    const request = `${headOf('POST')}${'a'.repeat(size - 1)}bc`;
    expect(await atAgent.bytes(request.length)).toBe(request);
  });

  it('that comes later is not held', async () => {
    const { start, connection } = await open();
    const { call } = start('POST');
    await turnEnd();
    const before = connection.socket.bytesWritten;
    call.write(Buffer.from('late'));
    expect(connection.socket.bytesWritten).toBe(before + 4);
  });

  it('is not sent if its client leaves in the same turn', async () => {
    const { start, atAgent } = await open();
    const { call } = start('POST');
    call.write(Buffer.from('hello'));
    call.abort();
    expect((await atAgent.rest()).bytes).toBe('');
  });

  it('that has not left is kept for another connection', async () => {
    const { owner, start, answer, atAgent } = await open();
    const first = start();
    await atAgent.head();
    answer(OK);
    await first.told.done;
    const second = start('POST');
    second.call.write(Buffer.from('hello'));
    answer('x');
    expect(owner.diedIdle).toEqual([[second.call, `${headOf('POST')}hello`]]);
  });
});

/** Notes the size of each write to the kernel from now on. */
function writesOf(socket: Socket): number[] {
  const sizes: number[] = [];
  const write = socket._write.bind(socket);
  socket._write = (chunk: Buffer | string, ...rest) => {
    sizes.push(chunk.length);
    write(chunk, ...rest);
  };
  socket._writev = (chunks) => void sizes.push(-chunks.length);
  return sizes;
}
