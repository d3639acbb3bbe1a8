import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { listenersOf, requestHead, serve } from '../../../test/kit/serve.js';
import { until } from '../../../test/kit/wait.js';
import { type BodyTaker, takeBody, type TakenBody } from './take-body.js';

/** Takes the body of one request, and answers when it is whole. */
class Taker implements BodyTaker {
  text = '';
  bytes = 0;
  trailers: string[] | null = null;
  mayGoOn = true;
  taken: TakenBody;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
  ) {
    this.taken = takeBody(request, this);
  }

  onPiece(piece: Buffer): boolean {
    this.bytes += piece.length;
    if (this.bytes < 1_000) this.text += piece.toString('latin1');
    return this.mayGoOn;
  }

  onEnd(): void {
    this.trailers = [...this.request.rawTrailers];
    this.response.end(this.text);
  }
}

/** A server that takes the body of every request, once `before` is fulfilled; and its takers, in order. */
async function stage(before?: (request: IncomingMessage) => Promise<unknown>) {
  const takers: Taker[] = [];
  const server = createServer((request, response) => {
    const take = () => takers.push(new Taker(request, response));
    if (before === undefined) take();
    else void before(request).then(take);
  });
  const { connect, accepted } = await serve(server);
  const next = async () => {
    const { length } = takers;
    await until(() => takers.length > length, 'a request');
    return takers[length] as Taker;
  };
  return { takers, accepted, next, client: await connect() };
}

const post = (length: number) => requestHead('POST /', [`Content-Length: ${length}`]);
const CHUNKED = requestHead('POST /', ['Transfer-Encoding: chunked', 'Trailer: a']);
const MIB = Buffer.alloc(1_048_576, 'm');

describe('a body that is taken', () => {
  it('comes in pieces, with its end and its trailers', async () => {
    const { client, takers } = await stage();
    client.send(`${CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\na: b\r\n\r\n`);
    expect((await wholeAnswer(client)).body).toBe('hello');
    expect(takers[0]?.trailers).toEqual(['a', 'b']);
  });

  it('does not pass the streams of Node, before or after the answer', async () => {
    const { client, takers } = await stage();
    client.send(`${post(5)}hello`);
    await wholeAnswer(client);
    client.send(`${post(5)}again`);
    await wholeAnswer(client);
    const [{ request }] = takers as [Taker];
    request.resume();
    await turnEnd();
    expect(request.readableEnded).toBe(false);
    expect(request.readableLength).toBe(0);
  });

  it('leaves nothing on its connection, and the next request is read', async () => {
    const { client, accepted } = await stage();
    client.send(`${post(5)}hello`);
    await wholeAnswer(client);
    const before = listenersOf(accepted[0] as Socket);
    for (let i = 0; i < 50; i++) {
      client.send(`${post(5)}hello`);
      expect((await wholeAnswer(client)).body).toBe('hello');
    }
    expect(listenersOf(accepted[0] as Socket)).toBe(before);
  });

  it('is read no further once a piece was one too many, until it is resumed', async () => {
    const { client, next } = await stage();
    client.send(post(32 * MIB.length));
    const taker = await next();
    taker.mayGoOn = false;
    for (let i = 0; i < 32; i++) client.send(MIB);
    await until(() => taker.bytes > 0, 'a piece');
    const { bytes } = taker;
    for (let i = 0; i < 100; i++) await turnEnd();
    expect(taker.bytes).toBe(bytes);
    taker.mayGoOn = true;
    taker.taken.resume();
    await wholeAnswer(client);
    expect(taker.bytes).toBe(32 * MIB.length);
  });

  it('is read no further while it is paused', async () => {
    const { client, next } = await stage();
    client.send(post(32 * MIB.length));
    const taker = await next();
    taker.taken.pause();
    for (let i = 0; i < 32; i++) client.send(MIB);
    for (let i = 0; i < 100; i++) await turnEnd();
    expect(taker.bytes).toBe(0);
    taker.taken.resume();
    await wholeAnswer(client);
    expect(taker.bytes).toBe(32 * MIB.length);
  });

  it('cannot be paused once it is whole: the connection is read for the next request', async () => {
    const { client, next } = await stage();
    client.send(`${post(5)}hello`);
    const taker = await next();
    await wholeAnswer(client);
    taker.taken.pause();
    client.send(`${post(5)}again`);
    expect((await wholeAnswer(client)).body).toBe('again');
  });

  it.each([
    ['in part', 'hel', 'lo'],
    ['whole', 'hello', ''],
  ])('may have come before, %s', async (_, before, after) => {
    const { client, takers } = await stage((request) =>
      until(() => request.readableLength >= before.length, 'what was sent'),
    );
    client.send(post(5) + before);
    await until(() => takers.length === 1, 'the taking');
    expect(takers[0]?.text).toBe(before);
    client.send(after);
    expect((await wholeAnswer(client)).body).toBe('hello');
    client.send(`${post(5)}again`);
    expect((await wholeAnswer(client)).body).toBe('again');
  });

  it('may have come before until Node read no further', async () => {
    const { client, takers } = await stage((request) =>
      until(() => request.readableLength >= request.readableHighWaterMark, 'a full queue'),
    );
    client.send(post(8 * MIB.length));
    for (let i = 0; i < 8; i++) client.send(MIB);
    await wholeAnswer(client);
    expect(takers[0]?.bytes).toBe(8 * MIB.length);
  });

  it('that is let go is read from the request', async () => {
    const { client, next } = await stage();
    client.send(`${post(11)}hello`);
    const { taken, request, response } = await next();
    taken.release();
    request.setEncoding('latin1').resume();
    let rest = '';
    request.on('data', (piece: string) => (rest += piece));
    client.send(' world');
    await once(request, 'end');
    expect(rest).toBe(' world');
    response.end();
    await wholeAnswer(client);
  });

  it('throws nothing when its client leaves', async () => {
    const { client, next } = await stage();
    client.send(`${post(11)}hello`);
    const { response, request } = await next();
    client.reset();
    await once(response, 'close');
    expect(request.complete).toBe(false);
  });
});
