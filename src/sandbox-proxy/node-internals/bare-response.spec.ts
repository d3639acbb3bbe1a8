import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { listenersOf, requestHead, serve } from '../../../test/kit/serve.js';
import { type BareResponse, bareResponse } from './bare-response.js';

const OFFER = requestHead('GET /', ['Connection: Upgrade', 'Upgrade: websocket']);

/** A connection that Node has taken off HTTP, and a response on it. */
async function upgraded() {
  const server = createServer();
  const { connect } = await serve(server);
  const client = await connect();
  client.send(OFFER);
  const [request, socket] = (await once(server, 'upgrade')) as [IncomingMessage, Socket];
  socket.on('end', () => socket.destroy());
  socket.resume();
  const before = listenersOf(socket);
  const finished: string[] = [];
  const bare: BareResponse = bareResponse(request, socket, () => finished.push('finished'));
  bare.response.on('close', () => finished.push('closed'));
  return { client, socket, before, finished, bare };
}

describe('a response on a connection that is off HTTP', () => {
  it('is an answer like any other, the last one, and leaves nothing behind', async () => {
    const { client, socket, before, finished, bare } = await upgraded();
    bare.response.writeHead(403, { 'Content-Length': '2' }).end('no');
    const answer = await wholeAnswer(client);
    expect([answer.status, answer.body, answer.header('connection')]).toEqual([403, 'no', 'close']);
    await expect.poll(() => finished).toEqual(['finished', 'closed']);
    expect(listenersOf(socket)).toBe(before);
  });

  it('says when it may write on', async () => {
    const { client, socket, bare } = await upgraded();
    const { response } = bare;
    client.socket.pause();
    let sentBytes = 0;
    do sentBytes += 65_536;
    while (response.write(Buffer.alloc(65_536)) || sentBytes < 16_777_216);
    client.socket.resume();
    await once(response, 'drain');
    expect(socket.writableLength).toBe(0);
    response.end();
  });

  it('closes when the client leaves, without having finished', async () => {
    const { client, finished, bare } = await upgraded();
    client.close();
    await once(bare.response, 'close');
    expect(finished).toEqual(['closed']);
  });

  it('can be taken off again, once or twice', async () => {
    const { client, socket, before, finished, bare } = await upgraded();
    bare.detach();
    bare.detach();
    expect(listenersOf(socket)).toBe(before);
    socket.write('raw');
    expect(await client.bytes(3)).toBe('raw');
    expect(finished).toEqual([]);
  });
});
