import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { stopReading } from './stop-reading.js';

/** A server whose answers name the requests, and one client of it. */
async function connected() {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.end(request.url);
  });
  const served = await serve(server);
  const client = await served.connect();
  client.send(requestHead('GET /first'));
  await wholeAnswer(client);
  const [socket] = served.accepted as [(typeof served.accepted)[0]];
  /** Returns once the server has taken in all that has reached it, from whomever it reads. */
  const settle = async () => {
    const other = await served.connect();
    other.send(requestHead('GET /other'));
    await wholeAnswer(other);
  };
  return { server, socket, client, paths, settle };
}

describe('a connection that is not read', () => {
  it('is not read, not even where Node resumes it', async () => {
    const { socket, client, paths, settle } = await connected();
    stopReading(socket);
    socket.pause();
    socket.resume();
    client.send(requestHead('GET /second'));
    await settle();
    await settle();
    expect(paths.filter((path) => path !== '/other')).toEqual(['/first']);
  });

  it('is read on, from where it was left', async () => {
    const { socket, client } = await connected();
    const readAgain = stopReading(socket);
    client.send(requestHead('GET /second'));
    readAgain();
    expect((await wholeAnswer(client)).body).toBe('/second');
  });

  it('is read on when the last has let go who stopped it', async () => {
    const { socket, client, paths, settle } = await connected();
    const [one, other] = [stopReading(socket), stopReading(socket)];
    client.send(requestHead('GET /second'));
    one();
    await settle();
    await settle();
    expect(paths).not.toContain('/second');
    other();
    expect((await wholeAnswer(client)).body).toBe('/second');
  });

  it('stays as Node wants it: paused where a reader is slow', async () => {
    const server = createServer(() => undefined);
    const served = await serve(server);
    const client = await served.connect();
    client.send(requestHead('POST /', ['Content-Length: 100000000']));
    const [request] = (await once(server, 'request')) as [IncomingMessage];
    const readAgain = stopReading(request.socket);
    request.socket.pause();
    client.send(Buffer.alloc(1_000_000));
    const before = request.socket.bytesRead;
    readAgain();
    const other = await served.connect();
    other.send(requestHead('GET /'));
    await once(server, 'request');
    expect(request.socket.bytesRead).toBe(before);
    request.socket.resume();
    await expect.poll(() => request.socket.bytesRead).toBeGreaterThan(before);
  });

  it('may be gone by the time', async () => {
    const { socket } = await connected();
    const readAgain = stopReading(socket);
    socket.destroy();
    expect(() => readAgain()).not.toThrow();
    expect(() => stopReading(socket)()).not.toThrow();
  });
});
