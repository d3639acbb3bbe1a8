import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IdleClients, KEEP_ALIVE_TIMEOUT_MS as TIMEOUT_MS } from './idle-clients.js';

const START_MS = 1_000;

let server: Server;
let idle: IdleClients;
let client: Socket;
let accepted: Socket;
let held: ServerResponse[];

beforeEach(async () => {
  held = [];
  server = createServer((request, response) => {
    if (request.url === '/held') held.push(response);
    else response.end('ok');
  });
  idle = new IdleClients();
  idle.watchAll(server);
  server.on('connection', (socket) => (accepted = socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
});

afterEach(() => {
  client.destroy();
  idle.stop();
  server.closeAllConnections();
  server.close();
});

async function ask(path: string): Promise<string> {
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const [answer] = (await once(client, 'data')) as [Buffer];
  // The answer is here before the server has done with it.
  await sleep(20);
  return answer.toString('latin1');
}

async function isClosed(): Promise<boolean> {
  await sleep(50);
  return client.readableEnded || client.destroyed;
}

describe('an idle client connection', () => {
  beforeEach(() => client.resume());

  it('is closed when no request has come for the whole time, and no sooner', async () => {
    expect(await ask('/')).toContain('Keep-Alive: timeout=620');
    idle.sweep(START_MS);
    idle.sweep(START_MS + TIMEOUT_MS - 1);
    expect(await isClosed()).toBe(false);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(await isClosed()).toBe(true);
  });

  it('has no timer of its own', async () => {
    await ask('/');
    expect(accepted.timeout ?? 0).toBe(0);
  });

  it('is counted anew after each request', async () => {
    await ask('/');
    idle.sweep(START_MS);
    await ask('/');
    idle.sweep(START_MS + 10);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(await isClosed()).toBe(false);
    idle.sweep(START_MS + 10 + TIMEOUT_MS);
    expect(await isClosed()).toBe(true);
  });

  it('is not idle while a request is under way, nor before the first', async () => {
    idle.sweep(START_MS);
    idle.sweep(START_MS + TIMEOUT_MS);
    expect(await isClosed()).toBe(false);
    await ask('/');
    idle.sweep(START_MS + TIMEOUT_MS);
    client.write('GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await sleep(50);
    idle.sweep(START_MS + 3 * TIMEOUT_MS);
    idle.sweep(START_MS + 4 * TIMEOUT_MS);
    expect(await isClosed()).toBe(false);
    held[0]?.end('late');
    expect(((await once(client, 'data')) as [Buffer])[0].toString()).toContain('late');
  });

  it('still has any other timer that is set', async () => {
    const elapsed: string[] = [];
    server.on('timeout', () => elapsed.push('server'));
    accepted.setTimeout(20, () => elapsed.push('callback'));
    await sleep(60);
    expect(elapsed.toSorted()).toEqual(['callback', 'server']);
    accepted.setTimeout(20);
    accepted.setTimeout(0);
    await sleep(60);
    expect(elapsed).toHaveLength(2);
  });
});
