import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { listenersOf, requestHead, serve } from '../../../test/kit/serve.js';
import { listenFirst } from './listen-first.js';
import { liftRequestTimeout, outlasts } from './request-timeout.js';

const HALF = (path: string) => `${requestHead(`POST ${path}`, ['Content-Length: 4'])}bo`;
const TIMEOUT_MS = 500;
const no = () => false;

/** Echoes; a request to `/lifted` has no clock, any other half a second. */
async function stage() {
  const server = createServer(
    { headersTimeout: 0, requestTimeout: TIMEOUT_MS, connectionsCheckingInterval: 20 },
    (request, response) => {
      if (request.url === '/lifted') liftRequestTimeout(request);
      let body = '';
      request.on('error', () => undefined).on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(body));
    },
  );
  listenFirst(server, {
    request: no,
    checkContinue: no,
    checkExpectation: no,
    upgrade: no,
    connect: no,
    clientError: outlasts,
  });
  const { accepted, connect } = await serve(server);
  return { server, accepted, connect };
}

/** Until a request that comes now has taken too long. */
async function oneTimeout({ connect }: Awaited<ReturnType<typeof stage>>): Promise<void> {
  const timed = await connect();
  timed.send(HALF('/timed'));
  expect((await timed.rest()).bytes).toContain('408 Request Timeout');
}

describe('a request whose time is lifted', () => {
  it('outlasts the requestTimeout, also twice, and the next on its connection has it again', async () => {
    const here = await stage();
    const lifted = await here.connect();
    const isHere = once(here.server, 'request');
    lifted.send(HALF('/lifted'));
    await isHere;
    await oneTimeout(here);
    await oneTimeout(here);
    lifted.send('dy');
    expect((await wholeAnswer(lifted)).body).toBe('body');
    lifted.send(HALF('/timed'));
    expect((await lifted.rest()).bytes).toContain('408 Request Timeout');
  });

  it('has it again also where its head comes slowly', async () => {
    const client = await (await stage()).connect();
    client.send(`${HALF('/lifted')}dy`);
    await wholeAnswer(client);
    client.send('GET / HTTP/1.1\r\n');
    expect((await client.rest()).bytes).toContain('408 Request Timeout');
  });

  it('lifts nothing of the next request, which came with it', async () => {
    const client = await (await stage()).connect();
    client.send(`${HALF('/lifted')}dy${HALF('/timed')}`);
    await wholeAnswer(client);
    expect((await client.rest()).bytes).toContain('408 Request Timeout');
  });

  it('is still answered where the rest of it makes no sense', async () => {
    const here = await stage();
    const client = await here.connect();
    client.send(`${requestHead('POST /lifted', ['Transfer-Encoding: chunked'])}2\r\nbo\r\n`);
    await once(here.server, 'request');
    await oneTimeout(here);
    client.send('no chunk\r\n');
    expect((await client.rest()).bytes).toContain('400 Bad Request');
  });

  it('leaves no more on its connection, however often it outlasts it', async () => {
    const here = await stage();
    const client = await here.connect();
    const counts: number[] = [];
    here.server.on('request', ({ socket }: IncomingMessage) => counts.push(listenersOf(socket)));
    for (let i = 0; i < 3; i++) {
      client.send(HALF('/lifted'));
      await oneTimeout(here);
      client.send('dy');
      await wholeAnswer(client);
    }
    const onLifted = counts.filter((_count, i) => i % 2 === 0);
    expect(onLifted[2]).toBe(onLifted[1]);
  });

  it('ends with all connections', async () => {
    const { server, accepted, connect } = await stage();
    const client = await connect();
    const isHere = once(server, 'request');
    client.send(HALF('/lifted'));
    await isHere;
    server.closeAllConnections();
    expect((accepted[0] as Socket).destroyed).toBe(true);
  });
});
