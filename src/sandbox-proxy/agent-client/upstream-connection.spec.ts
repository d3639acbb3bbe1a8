import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { A, OK, Told } from '../../../test/kit/pool-and-agent.js';
import { type RawServer, startRawServer } from '../../../test/kit/raw-server.js';
import { UpstreamCall } from './upstream-call.js';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.js';

/** A pool of one connection that starts no call anew. */
class Owner implements ConnectionOwner {
  readonly nowMs = 0;
  readonly firstByteTimeoutMs = 1_000;
  readonly diedIdle: UpstreamCall[] = [];
  onIdle(): void {}
  onProven(): void {}
  onConnectTimeout(): void {}
  onGone(): void {}
  onDiedIdle(call: UpstreamCall): boolean {
    this.diedIdle.push(call);
    return true;
  }
}

let agent: RawServer;
beforeEach(async () => {
  agent = await startRawServer();
});
afterEach(() => agent.close());

async function open() {
  const owner = new Owner();
  const socket = connect(agent.port, '127.0.0.1');
  const connection = new UpstreamConnection(socket, owner);
  await once(socket, 'connect');
  connection.onConnected();
  const start = () => {
    const told = new Told();
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const origin = { secure: false, hostname: '127.0.0.1', port: agent.port, authority: 'a' };
    const request = {
      origin,
      sandboxId: A,
      teamId: 't',
      method: 'GET',
      head,
      hasBody: false,
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
  expect(owner.diedIdle).toEqual([second.call]);
  expect(connection.isOpen).toBe(false);
  expect((await atAgent.rest()).bytes).toBe('');
});
