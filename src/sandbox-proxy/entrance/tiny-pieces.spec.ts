import { createHook } from 'node:async_hooks';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { slowTinyPieces } from './tiny-pieces.js';

/** A server that answers with the length of the body, and sends bodies to it. */
async function serving() {
  let isSlowed = false;
  const server = createServer(async (request, response) => {
    request.on('data', () => (isSlowed ||= isUnread(request.socket)));
    // A client that leaves gets no answer.
    const body = await text(request).catch(() => null);
    if (body !== null) response.end(`${body.length}`);
  });
  let accepted: Socket | undefined;
  server.on('connection', (socket) => {
    accepted = socket;
    slowTinyPieces(socket);
    // Once for all requests of a connection.
    slowTinyPieces(socket);
  });
  const { connect } = await serve(server);
  /** The answers, and how long they took to come, milliseconds. */
  const send = async (body: string, requests = 1) => {
    const client = await connect();
    const startedAtMs = performance.now();
    const answers = new Set<string>();
    for (let index = 0; index < requests; index++) {
      client.send(`${requestHead('POST /', ['Transfer-Encoding: chunked'])}${body}0\r\n\r\n`);
      answers.add((await wholeAnswer(client)).body);
    }
    return { ms: performance.now() - startedAtMs, answers: [...answers] };
  };
  return { connect, send, isSlowed: () => isSlowed, accepted: () => accepted as Socket };
}

/** As `stopReading` leaves a connection. */
function isUnread(socket: Socket): boolean {
  const { _handle: handle } = socket as Socket & { _handle: object };
  return Object.hasOwn(handle, 'readStart');
}

const chunks = (count: number, bytes: number) =>
  `${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n`.repeat(count);

/** A fifth of a core, at 3.3 µs a chunk. */
const MS_PER_CHUNK = 0.016_5;

describe('a body in tiny chunks', () => {
  // 600 KB of them took 328 ms of everybody's time
  it('is read at the pace at which all of them take a fifth of a core', async () => {
    const { send, isSlowed } = await serving();
    const { ms, answers } = await send(chunks(60_000, 1));
    expect(answers).toEqual(['60000']);
    expect(ms).toBeGreaterThan(60_000 * MS_PER_CHUNK * 0.8);
    expect(isSlowed()).toBe(true);
  });

  it('waits in one line with the others', async () => {
    const { send } = await serving();
    const startedAtMs = performance.now();
    await Promise.all(Array.from({ length: 4 }, () => send(chunks(25_000, 1))));
    expect(performance.now() - startedAtMs).toBeGreaterThan(50_000 * MS_PER_CHUNK);
  });

  it('leaves no timer behind when its connection closes', async () => {
    const timers: { _onTimeout: { name: string } | null; _destroyed: boolean }[] = [];
    const hook = createHook({
      init: (_id, type, _by, timer) => void (type === 'Timeout' && timers.push(timer as never)),
    });
    onTestFinished(() => void hook.disable());
    const { connect, accepted } = await serving();
    const client = await connect();
    hook.enable();
    client.send(requestHead('POST /', ['Transfer-Encoding: chunked']) + chunks(20_000, 1));
    const waits = () =>
      timers.filter(({ _onTimeout, _destroyed }) => _onTimeout?.name === 'wait' && !_destroyed);
    await expect.poll(() => waits().length).toBe(1);
    accepted().destroy();
    await client.closed();
    expect(waits()).toEqual([]);
  });

  it('waits as well where it is cut into many requests', async () => {
    const { send } = await serving();
    const { ms, answers } = await send(chunks(500, 1), 100);
    expect(answers).toEqual(['500']);
    expect(ms).toBeGreaterThan(100 * 484 * MS_PER_CHUNK * 0.8);
  });
});

describe('other bodies', () => {
  it.each([
    ['in chunks of 256 bytes', chunks(5_000, 256), 1],
    ['small and many', chunks(16, 1), 500],
  ])('%s are read at once', async (_, body, requests) => {
    const { send, isSlowed } = await serving();
    await send(body, requests);
    expect(isSlowed()).toBe(false);
  });
});
