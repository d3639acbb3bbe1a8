import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { responseOn } from './response-on-socket.js';

describe('the response that has a connection', () => {
  it('is the oldest whose answer is not over, and none between two', async () => {
    const responses: ServerResponse[] = [];
    const server = createServer((_request, response) => void responses.push(response));
    const { accepted, connect } = await serve(server);
    const client = await connect();
    client.send(requestHead('GET /1') + requestHead('GET /2'));
    while (responses.length < 2) await once(server, 'request');
    const [first, second] = responses as [ServerResponse, ServerResponse];
    const [socket] = accepted as [(typeof accepted)[0]];

    expect(responseOn(socket)).toBe(first);
    first.end('one');
    await once(first, 'close');
    expect(responseOn(socket)).toBe(second);
    second.end('two');
    await once(second, 'close');
    expect(responseOn(socket)).toBeNull();
    expect((await wholeAnswer(client)).body).toBe('one');
    expect((await wholeAnswer(client)).body).toBe('two');
  });

  it('is none on a connection without a request', async () => {
    const { accepted, connect } = await serve(createServer());
    await connect();
    await expect.poll(() => accepted.length).toBe(1);
    expect(responseOn(accepted[0] as (typeof accepted)[0])).toBeNull();
  });
});
