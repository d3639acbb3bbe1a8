import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exchangeClocks } from '../src/platform/exchange/exchange-clocks.js';
import { caller, newTeam } from './kit/api-client.js';
import { type StartedApp, startApp } from './kit/app.js';
import { PlatformRows } from './kit/platform-rows.js';
import { RawConnection } from './kit/raw-connection.js';

const BODY_MS = 1_200;
const EXCHANGE_MS = 4_000;

describe('an exchange with the API', () => {
  let started: StartedApp;
  let team: Awaited<ReturnType<typeof newTeam>>;
  let open: RawConnection[];
  /** The server's ends, by the client's port. */
  const accepted = new Map<number, Socket>();

  beforeAll(async () => {
    started = await startApp({
      beforeInit: (app) => app.use(exchangeClocks({ bodyMs: BODY_MS, exchangeMs: EXCHANGE_MS })),
    });
    team = await newTeam(started);
    open = [];
    const server: Server = started.app.getHttpServer();
    server.on('connection', (socket: Socket) => accepted.set(socket.remotePort ?? 0, socket));
  });
  afterEach(() => {
    for (const connection of open.splice(0)) connection.close();
  });
  afterAll(() => started.close());

  async function connect(): Promise<RawConnection> {
    const connection = await RawConnection.open(started.port);
    open.push(connection);
    return connection;
  }

  const head = (line: string, ...fields: string[]): string =>
    [line, 'Host: api', `X-API-Key: ${team.key}`, ...fields, '', ''].join('\r\n');

  describe('whose body does not come', () => {
    it.each([
      ['never', 'Content-Length: 50', []],
      ['in part', 'Content-Length: 50', ['{"tem']],
      ['drop by drop', 'Content-Length: 5000', Array.from({ length: 200 }, () => ' ')],
      [
        'drop by drop in chunks',
        'Transfer-Encoding: chunked',
        Array.from({ length: 200 }, () => '1\r\n \r\n'),
      ],
    ])('is answered 408 and closed: %s', async (_name, framing, drops) => {
      const connection = await connect();
      connection.send(head('POST /v1/sandboxes HTTP/1.1', 'Content-Type: application/json', framing));
      const dripping = setInterval(() => connection.send(drops.shift() ?? ''), 20);
      const answer = await connection.head();
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toMatch(/^Connection: close\r$/im);
      const { bytes } = await connection.rest();
      clearInterval(dripping);
      expect(JSON.parse(bytes)).toEqual({
        error: {
          code: 'request_timeout',
          message: 'the body did not arrive in time',
          requestId: expect.any(String),
        },
      });
    });

    it('is cut where it was answered before', async () => {
      const connection = await connect();
      connection.send(head('POST /nowhere HTTP/1.1', 'Content-Type: text/plain', 'Content-Length: 50'));
      expect(await connection.head()).toMatch(/^HTTP\/1\.1 404 /);
      await connection.rest();
    });

    it('leaves a connection alone whose body came in time', async () => {
      const connection = await connect();
      const body = '{"template":"t"}';
      for (let i = 0; i < 4; i += 1) {
        connection.send(
          head(
            'POST /v1/sandboxes HTTP/1.1',
            'Content-Type: application/json',
            `Content-Length: ${body.length}`,
          ),
        );
        await new Promise((resolve) => void setTimeout(resolve, BODY_MS / 3));
        connection.send(body);
        const answer = await connection.head();
        expect(answer).toMatch(/^HTTP\/1\.1 201 /);
        await connection.bytes(Number(/^Content-Length: (\d+)/im.exec(answer)?.[1]));
      }
    });
  });

  // 30 clients that asked for pages and read nothing of them held 1.75 GB for as long as they liked
  it('is cut where the client does not read the answer', async () => {
    const rows = new PlatformRows(started.db);
    const { id, key } = await rows.team();
    await started.db.query(
      `INSERT INTO sandboxes (id, team_id, template, status, metadata)
       SELECT gen_random_uuid(), $1, 't', 'running', jsonb_build_object('text', repeat('x', 95000))
         FROM generate_series(1, 40)`,
      [id],
    );
    const connection = await connect();
    connection.socket.pause();
    const request = `GET /v1/sandboxes?limit=1000 HTTP/1.1\r\nHost: api\r\nX-API-Key: ${key}\r\n\r\n`;
    connection.send(request.repeat(20));
    await expect.poll(() => accepted.get(connection.socket.localPort ?? 0)?.destroyed).toBe(false);
    await expect
      .poll(() => accepted.get(connection.socket.localPort ?? 0)?.destroyed, { timeout: 20_000 })
      .toBe(true);
  });

  it.each([
    ['GET', '/v1/sandboxes', 200],
    ['GET', '/v1/api-keys', 200],
    ['GET', '/v1/hosts', 401],
    ['GET', '/nowhere', 404],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
    ['POST', '/v1/sandboxes', 400],
    ['POST', '/v1/api-keys', 201],
  ])('is answered with no-store and nosniff: %s %s', async (method, path, status) => {
    const body = method === 'POST' ? { name: 'n' } : undefined;
    const answer = await caller(started.url, { 'x-api-key': team.key })(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
