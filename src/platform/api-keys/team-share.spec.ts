import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RawConnection } from '../../../test/kit/raw-connection.js';
import { TeamShare } from './team-share.js';

const MAX = 64;

// A server whose path is the team, and whose answers the test gives: 429 where the team has its share under way.

let server: Server;
let held: ServerResponse[];
let clients: RawConnection[];

beforeEach(async () => {
  const share = new TeamShare();
  [held, clients] = [[], []];
  server = createServer((request, response) => {
    try {
      share.enter(request.url as string, request, response);
      held.push(response);
    } catch {
      response.writeHead(429).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const response of held) response.end();
  await new Promise((resolve) => server.close(resolve));
});

async function connect(): Promise<RawConnection> {
  const client = await RawConnection.open((server.address() as AddressInfo).port);
  clients.push(client);
  return client;
}

const request = (team: string) => `GET /${team} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** Puts as many requests of a team under way as it may have, on that many connections. */
async function fill(team: string, connections: number): Promise<RawConnection[]> {
  const before = held.length;
  const opened: RawConnection[] = [];
  for (let i = 0; i < connections; i++) {
    const client = await connect();
    client.send(request(team).repeat(MAX / connections));
    opened.push(client);
  }
  await expect.poll(() => held.length).toBe(before + MAX);
  return opened;
}

/** Whether a request of the team is refused; if not, it is answered. */
async function isRefused(team: string): Promise<boolean> {
  const before = held.length;
  const client = await connect();
  client.send(request(team));
  await expect.poll(() => held.length > before || client.unread !== '').toBe(true);
  held[before]?.end();
  return (await client.answer()).status === 429;
}

describe('the requests of a team at the API', () => {
  it('are 64 at a time, and none of them of another team', async () => {
    await fill('a', MAX);
    expect([await isRefused('a'), await isRefused('a'), await isRefused('b')]).toEqual([true, true, false]);
  });

  it('are over when they have been answered', async () => {
    await fill('a', MAX);
    held[0]?.end('done');
    await expect.poll(() => isRefused('a')).toBe(false);
    expect(await isRefused('a')).toBe(false);
  });

  it.each([MAX, 1])('are over when their clients leave, on %i connections', async (connections) => {
    for (const client of await fill('a', connections)) client.reset();
    await expect.poll(() => isRefused('a')).toBe(false);
    await fill('a', MAX);
    expect(await isRefused('a')).toBe(true);
  });
});
