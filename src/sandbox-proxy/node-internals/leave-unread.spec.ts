import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { listenersOf, requestHead, serve } from '../../../test/kit/serve.js';
import { leaveUnread } from './leave-unread.js';

describe('a request without a body that is left unread', () => {
  it('is not flowed to its end by Node', async () => {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      if (request.url === '/left') leaveUnread(request);
      response.end();
    });
    const client = await (await serve(server)).connect();
    client.send(requestHead('GET /left') + requestHead('GET /'));
    await wholeAnswer(client);
    await wholeAnswer(client);
    const [left, other] = requests as [IncomingMessage, IncomingMessage];
    if (!other.readableEnded) await once(other, 'end');
    expect(left.readableEnded).toBe(false);
    expect(left.readableFlowing).toBeNull();
    expect(left.complete).toBe(true);

    // Its end has not even been noted.
    left.resume();
    client.send(requestHead('GET /'));
    await wholeAnswer(client);
    expect(left.readableEnded).toBe(false);
  });

  it('leaves nothing on its connection, and the next request is read as ever', async () => {
    const server = createServer((request, response) => {
      if (request.method === 'GET') {
        leaveUnread(request);
        response.end();
      } else request.pipe(response);
    });
    const { accepted, connect } = await serve(server);
    const client = await connect();
    client.send(requestHead('GET /'));
    await wholeAnswer(client);
    const before = listenersOf(accepted[0] as Socket);
    for (let i = 0; i < 100; i++) {
      client.send(requestHead('GET /'));
      await wholeAnswer(client);
    }
    expect(listenersOf(accepted[0] as Socket)).toBe(before);
    client.send(`${requestHead('POST /', ['Content-Length: 5'])}hello`);
    expect((await wholeAnswer(client)).body).toBe('hello');
  });
});
