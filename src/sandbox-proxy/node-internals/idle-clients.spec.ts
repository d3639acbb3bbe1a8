import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { wholeAnswer } from '../../../test/kit/answer.js';
import type { RawConnection } from '../../../test/kit/raw-connection.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { IdleClients, KEEP_ALIVE_TIMEOUT_MS as TIMEOUT_MS } from './idle-clients.js';

const START_MS = 1_000;

let server: Server;
let idle: IdleClients;
let client: RawConnection;
let connect: () => Promise<RawConnection>;
let accepted: Socket;
let held: ServerResponse[];

beforeEach(async () => {
  held = [];
  server = createServer((request, response) => {
    if (request.url === '/held') held.push(response);
    else response.end('ok');
  });
  idle = new IdleClients(TIMEOUT_MS);
  idle.watchAll(server);
  const served = await serve(server);
  ({ connect } = served);
  client = await connect();
  await ask('/');
  [accepted] = served.accepted as [Socket];
});

/** Until the server has done with its answer. */
async function ask(path: string): Promise<string | undefined> {
  const done = new Promise<void>((resolve) => {
    server.once('request', (_request, response: ServerResponse) => response.once('close', resolve));
  });
  client.send(requestHead(`GET ${path}`));
  const answer = await wholeAnswer(client);
  await done;
  return answer.header('keep-alive');
}

describe('an idle client connection', () => {
  it('is closed when no request has come for the whole time, and no sooner', async () => {
    expect(await ask('/')).toBe('timeout=620');
    idle.sweep(START_MS);
    idle.sweep(START_MS + TIMEOUT_MS - 1);
    expect(accepted.destroyed).toBe(false);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect((await client.rest()).ending).toBe('fin');
  });

  it('has no timer of its own', () => {
    expect(accepted.timeout ?? 0).toBe(0);
  });

  it('is counted anew after each request', async () => {
    idle.sweep(START_MS);
    await ask('/');
    idle.sweep(START_MS + 10);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(accepted.destroyed).toBe(false);
    idle.sweep(START_MS + 10 + TIMEOUT_MS);
    expect(accepted.destroyed).toBe(true);
  });

  it('is not idle while a request is under way', async () => {
    const isHeld = once(server, 'request');
    client.send(requestHead('GET /held'));
    await isHeld;
    idle.sweep(START_MS);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(accepted.destroyed).toBe(false);
    held[0]?.end('late');
    expect((await wholeAnswer(client)).body).toBe('late');
  });

  it.each([
    ['longer', 21],
    ['as long, while an answer is awaited', 20],
  ])('still has a timer of the application that is %s', async (_, ms) => {
    const short = createServer((_request, response) => held.push(response));
    new IdleClients(20).watchAll(short);
    const served = await serve(short);
    const isHeld = once(short, 'request');
    (await served.connect()).send(requestHead('GET /'));
    await isHeld;
    const [socket] = served.accepted as [Socket];
    const elapsed = once(socket, 'timeout');
    socket.setTimeout(ms);
    await elapsed;
    expect(socket.timeout).toBe(ms);
  });

  it('still has any other timer that is set', async () => {
    const elapsed: string[] = [];
    server.on('timeout', () => elapsed.push('server'));
    const both = once(server, 'timeout');
    accepted.setTimeout(20, () => elapsed.push('callback'));
    await both;
    expect(elapsed.toSorted()).toEqual(['callback', 'server']);
    accepted.setTimeout(20);
    accepted.setTimeout(0);
    expect(accepted.timeout).toBe(0);
  });
});

describe('a client connection without a request', () => {
  it('is not idle yet: its head has a clock of its own', async () => {
    const isAccepted = once(server, 'connection');
    await connect();
    const [socket] = (await isAccepted) as [Socket];
    idle.sweep(START_MS);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(socket.destroyed).toBe(false);
  });
});
