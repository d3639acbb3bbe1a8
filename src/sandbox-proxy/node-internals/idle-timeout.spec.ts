import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { liftIdleTimeout } from './idle-timeout.js';

const IDLE_MS = 100;

let server: Server;
let held: ServerResponse[];

/** Nothing is answered but by the test; a request to `/lifted` may be silent for any time. */
beforeEach(() => {
  held = [];
  server = createServer((request, response) => {
    if (request.url === '/lifted') liftIdleTimeout(response);
    held.push(response);
  });
});

/** Waits for that many requests in all. */
async function arrived(count: number): Promise<ServerResponse> {
  while (held.length < count) await once(server, 'request');
  return held[count - 1] as ServerResponse;
}

/** Until a request that came now has been idle for too long, and its connection has been closed. */
async function oneIdleTime(connect: Awaited<ReturnType<typeof serve>>['connect']): Promise<void> {
  const other = await connect();
  other.send(requestHead('GET /timed'));
  expect((await other.rest()).ending).toBe('fin');
}

const CLOCKS: Record<string, () => void> = {
  'the timeout of the server': () => void (server.timeout = IDLE_MS),
  'a listener of the server for it': () => server.setTimeout(IDLE_MS, (socket) => socket.destroy()),
  'a timeout of the socket': () =>
    server.on('connection', (socket) => socket.setTimeout(IDLE_MS, () => socket.destroy())),
};

describe.each(Object.entries(CLOCKS))('an exchange whose idle time is lifted: %s', (_name, set) => {
  it('is not cut, however silent', async () => {
    set();
    const { connect } = await serve(server);
    const client = await connect();
    client.send(requestHead('GET /lifted'));
    const response = await arrived(1);
    await oneIdleTime(connect);
    response.write('first');
    await client.until('first');
    await oneIdleTime(connect);
    response.end('last');
    expect(await client.until('last')).toContain('last');
  });
});

describe('the clock of a connection after such an exchange', () => {
  beforeEach(() => void (server.timeout = IDLE_MS));

  it.each([5_000, 0])(
    'is back for the next request, with a keep-alive time of %i ms',
    async (keepAliveMs) => {
      server.keepAliveTimeout = keepAliveMs;
      const client = await (await serve(server)).connect();
      client.send(requestHead('GET /lifted'));
      (await arrived(1)).end();
      await wholeAnswer(client);
      client.send(requestHead('GET /timed'));
      await arrived(2);
      expect((await client.rest()).ending).toBe('fin');
    },
  );

  it('is back for a request that was pipelined behind it', async () => {
    const client = await (await serve(server)).connect();
    client.send(requestHead('GET /lifted') + requestHead('GET /timed'));
    await arrived(2);
    held[0]?.end();
    await wholeAnswer(client);
    expect((await client.rest()).ending).toBe('fin');
  });

  it('goes on for a request that it was pipelined behind', async () => {
    const client = await (await serve(server)).connect();
    client.send(requestHead('GET /timed') + requestHead('GET /lifted'));
    await arrived(2);
    expect((await client.rest()).ending).toBe('fin');
  });

  it('is not there for the second of two, which begins when the first is over', async () => {
    const { connect } = await serve(server);
    const client = await connect();
    client.send(requestHead('GET /lifted') + requestHead('GET /lifted'));
    await arrived(2);
    held[0]?.end();
    await wholeAnswer(client);
    const second = held[1] as ServerResponse;
    await oneIdleTime(connect);
    second.end('second');
    expect((await wholeAnswer(client)).body).toBe('second');
  });
});
