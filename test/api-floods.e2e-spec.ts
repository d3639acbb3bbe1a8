import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { encodeId } from '../src/platform/identifiers/resource-id.js';
import { LOGGER } from '../src/program/logging/logger.js';
import { caller } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';
import { PlatformRows } from './kit/platform-rows.js';
import { RawConnection } from './kit/raw-connection.js';

const CONNECTIONS = 100;
const REQUESTS = 40;
/** On one connection at a time; of more the program takes no notice. */
const PIPELINED = 20;

describe('a flood of requests without a valid key', () => {
  let started: StartedApp;
  let rows: PlatformRows;
  const lines: string[] = [];

  beforeAll(async () => {
    started = await startApp({
      override: (builder) =>
        builder
          .overrideProvider(LOGGER)
          .useValue(pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })),
    });
    rows = new PlatformRows(started.db);
  });
  afterAll(() => started.close());

  /** Sends `REQUESTS` on each of several connections, `PIPELINED` at a time; how many answers had which status. */
  async function flood(request: () => string): Promise<Map<string, number>> {
    const statuses = new Map<string, number>();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const connection = await RawConnection.open(started.port);
        for (let sent = 0; sent < REQUESTS; sent += PIPELINED) {
          connection.send(Array.from({ length: PIPELINED }, request).join(''));
          for (let i = 0; i < PIPELINED; i += 1) {
            const { status } = await connection.answer();
            statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
          }
        }
        connection.close();
      }),
    );
    return statuses;
  }

  /** Requests with keys that the program has not seen before, one after the other, until `isOver`. */
  async function strangersWithKeys(isOver: () => boolean): Promise<{ statuses: Set<number>; count: number }> {
    const statuses = new Set<number>();
    let count = 0;
    while (!isOver() || count < 3) {
      const { key } = await rows.team();
      statuses.add((await caller(started.url, { 'x-api-key': key })('GET', '/v1/sandboxes')).status);
      count += 1;
    }
    return { statuses, count };
  }

  // made-up keys took every connection to the database and left 25 MB of stack traces in 18 s
  it('is refused, while keys nobody has used yet are let in from the same address', async () => {
    lines.length = 0;
    const startedAtMs = Date.now();
    let isOver = false;
    const path = `/v1/sandboxes/${encodeId('cl', randomUUID())}`;
    const [statuses, others] = await Promise.all([
      flood(() => `GET ${path} HTTP/1.1\r\nHost: api\r\nX-API-Key: ${generateApiKey()}\r\n\r\n`).finally(
        () => (isOver = true),
      ),
      strangersWithKeys(() => isOver),
    ]);
    expect([...others.statuses]).toEqual([200]);
    expect(statuses.get('200')).toBeUndefined();
    expect(statuses.get('429')).toBeGreaterThan(0);
    // 503: what has waited for 5 s for its turn, on a machine that is that slow
    expect(['401', '429', '503']).toEqual(expect.arrayContaining([...statuses.keys()]));
    // 200 at once and 10 a second
    expect(statuses.get('401')).toBeLessThan(250 + (Date.now() - startedAtMs) / 50);
    expect(lines.length).toBeLessThan(3 + (Date.now() - startedAtMs) / 1_000);
    expect(lines.join('')).not.toContain('stack');
  });

  it('of questions whether it is ready asks the database once a second', async () => {
    const dataSource = started.app.get(DataSource);
    const query = dataSource.query.bind(dataSource);
    let asked = 0;
    dataSource.query = (...parameters) => {
      if (parameters[0] === 'SELECT 1') asked += 1;
      return query(...parameters);
    };
    const startedAtMs = Date.now();
    const statuses = await flood(() => 'GET /readyz HTTP/1.1\r\nHost: api\r\n\r\n');
    expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(CONNECTIONS * REQUESTS);
    dataSource.query = query;
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(2 + (Date.now() - startedAtMs) / 1_000);
  });

  // requests whose answers nobody reads were begun without end, and with them questions to the database
  it('of a team that does not read its answers ends at 64 under way, and costs no other team anything', async () => {
    const [flooder, other] = [await rows.team(), await rows.team()];
    await started.db.query(
      `INSERT INTO sandboxes (id, team_id, template, status, metadata)
       SELECT gen_random_uuid(), $1, 't', 'running', jsonb_build_object('text', repeat('x', 16000))
         FROM generate_series(1, 70)`,
      [flooder.id],
    );
    const ask = ({ key }: { key: string }) =>
      caller(started.url, { 'x-api-key': key })('GET', '/v1/sandboxes?limit=1');
    // 1 MB each, more than a socket takes in: on each connection one is under way
    const list = `GET /v1/sandboxes?limit=1000 HTTP/1.1\r\nHost: api\r\nX-API-Key: ${flooder.key}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 70 }, () => RawConnection.open(started.port)));
    for (const client of clients) {
      client.socket.pause();
      client.send(list.repeat(8));
    }
    await expect.poll(async () => (await ask(flooder)).status).toBe(429);
    const { body, headers } = await ask(flooder);
    expect([body.error.code, headers.get('retry-after')]).toEqual(['limit_exceeded', '1']);
    expect((await ask(other)).status).toBe(200);
    for (const client of clients) client.reset();
    await expect.poll(async () => (await ask(flooder)).status).toBe(200);
  });
});
