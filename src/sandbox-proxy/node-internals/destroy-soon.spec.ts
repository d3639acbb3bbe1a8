import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { closeInstead } from './destroy-soon.js';

describe('a connection after its last answer', () => {
  it('is closed in the way that was asked for, and only then', async () => {
    const closed: Socket[] = [];
    const server = createServer((request, response) => {
      closeInstead(request.socket, (socket) => closed.push(socket));
      response.shouldKeepAlive = request.url !== '/last';
      response.end('answer');
    });
    const { accepted, connect } = await serve(server);
    const client = await connect();
    client.send(requestHead('GET /'));
    await wholeAnswer(client);
    expect(closed).toEqual([]);
    client.send(requestHead('GET /last'));
    expect((await wholeAnswer(client)).header('connection')).toBe('close');
    await expect.poll(() => closed).toEqual(accepted);
    expect(client.isOver).toBe(false);
  });
});
