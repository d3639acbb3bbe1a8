import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../../test/support/raw-answer.js';
import { requestHead, serve } from '../../../test/support/serve.js';
import { liftRequestTimeout } from './request-timeout.js';

const HALF = (path: string) => `${requestHead(`POST ${path}`, ['Content-Length: 4'])}bo`;

/** Echoes; a request to `/lifted` has no clock, any other 200 ms. */
async function stage() {
  const server = createServer(
    { headersTimeout: 0, requestTimeout: 200, connectionsCheckingInterval: 20 },
    (request, response) => {
      if (request.url === '/lifted') liftRequestTimeout(request.socket);
      let body = '';
      request.on('error', () => undefined).on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(body));
    },
  );
  const { accepted, connect } = await serve(server);
  const arrived = (path: string) =>
    new Promise<Socket>((resolve) => {
      server.on('request', ({ url, socket }: IncomingMessage) => url === path && resolve(socket));
    });
  return { server, accepted, connect, arrived };
}

describe('a request whose time is lifted', () => {
  it('outlasts the requestTimeout that ends a later one, and the next on its connection has it again', async () => {
    const { connect, arrived } = await stage();
    const lifted = await connect();
    const isHere = arrived('/lifted');
    lifted.send(HALF('/lifted'));
    await isHere;
    const timed = await connect();
    timed.send(HALF('/timed'));
    expect((await timed.rest()).bytes).toContain('408 Request Timeout');

    lifted.send('dy');
    expect((await readAnswer(lifted)).body).toBe('body');
    lifted.send(HALF('/timed'));
    expect((await lifted.rest()).bytes).toContain('408 Request Timeout');
  });

  it('is not known to closeAllConnections until its body is in', async () => {
    const { server, accepted, connect, arrived } = await stage();
    const lifted = await connect();
    const isHere = arrived('/lifted');
    lifted.send(HALF('/lifted'));
    const socket = await isHere;
    server.closeAllConnections();
    expect(accepted.map(({ destroyed }) => destroyed)).toEqual([false]);
    lifted.send('dy');
    await readAnswer(lifted);
    server.closeAllConnections();
    if (!socket.closed) await once(socket, 'close');
    expect((await lifted.rest()).ending).toBe('end');
  });
});
