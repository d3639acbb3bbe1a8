import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { AppModule } from '../src/app.module.js';
import { configureApp } from '../src/program/app.setup.js';
import { loadConfiguration } from '../src/program/config/configuration.js';
import { createTestDatabase, type TestDatabase } from './kit/database.js';
import { PlatformRows } from './kit/platform-rows.js';
import { wholeAnswer } from './kit/answer.js';
import { RawConnection } from './kit/raw-connection.js';
import { type EchoAgent, startEchoAgent } from './kit/echo-agent.js';
import { pause } from './kit/wait.js';

@WebSocketGateway({ path: '/gateway' })
class EchoGateway {
  @SubscribeMessage('say')
  say(_client: unknown, said: unknown): { event: string; data: unknown } {
    return { event: 'said', data: said };
  }
}

type Gateway = 'no gateway' | 'a ws gateway' | 'a socket.io gateway';
const WAYS = ['NestFactory.create', 'createNestApplication'] as const;
const GATEWAYS: readonly Gateway[] = ['no gateway', 'a ws gateway', 'a socket.io gateway'];
const COMBINATIONS = WAYS.flatMap((way) => GATEWAYS.map((gateway) => [way, gateway] as const));
const PREFLIGHT = ['Origin: http://page.example', 'Access-Control-Request-Method: PUT'];

let db: TestDatabase;
let agent: EchoAgent;
let host: string;
let key: string;
beforeAll(async () => {
  db = await createTestDatabase();
  agent = await startEchoAgent();
  const rows = new PlatformRows(db);
  const team = await rows.team();
  key = team.key;
  host = `80-${(await rows.sandbox(team.id, await rows.host(`127.0.0.1:${agent.port}`))).id}.localhost`;
});
afterAll(async () => {
  await agent.close();
  await db.drop();
});

/** A WebSocket, once it is open. */
async function opened(url: string, options: object = {}): Promise<WebSocket> {
  const socket = new WebSocket(url, options);
  await once(socket, 'open');
  return socket;
}

describe.each(COMBINATIONS)('importing the module is enough: %s, %s', (way, gateway) => {
  let app: NestExpressApplication;
  let port: number;

  beforeAll(async () => {
    const env = { PORT: '0', DATABASE_URL: db.url, ADMIN_TOKEN: 'a-token-of-16-chars', LOG_LEVEL: 'silent' };
    const root: DynamicModule = AppModule.forRoot(loadConfiguration(env));
    const providers = gateway === 'no gateway' ? [] : [EchoGateway];
    @Module({ imports: [root], providers })
    class Root {}
    app =
      way === 'NestFactory.create'
        ? await NestFactory.create<NestExpressApplication>(Root, { logger: false, bodyParser: true })
        : (
            await Test.createTestingModule({ imports: [Root] }).compile()
          ).createNestApplication<NestExpressApplication>();
    if (gateway === 'a ws gateway') app.useWebSocketAdapter(new WsAdapter(app));
    if (gateway === 'a socket.io gateway') app.useWebSocketAdapter(new IoAdapter(app));
    configureApp(app);
    app.enableCors();
    app.setGlobalPrefix('api');
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
  });
  afterAll(() => app.close());

  const ask = async (method: string, path: string, lines: readonly string[] = [], body = '') => {
    const connection = await RawConnection.open(port);
    connection.send(
      `${method} ${path} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`,
    );
    const answer = await wholeAnswer(connection, method);
    connection.close();
    return answer;
  };
  const inside = (method: string, path: string, lines: readonly string[] = [], body = '') =>
    ask(method, path, [`Host: ${host}`, `X-API-Key: ${key}`, ...lines], body);
  const api = (method: string, path: string, lines: readonly string[] = [], body = '') =>
    ask(method, path, ['Host: localhost', ...lines], body);
  it('a request reaches the sandbox with its body untouched, JSON or not', async () => {
    const json = 'Content-Type: application/json';
    for (const body of ['{"a": 1 }', '{"a":', '"\u0000"'])
      expect((await inside('POST', '/x', [json, `Content-Length: ${body.length}`], body)).body).toBe(
        `POST /x ${body}`,
      );
  });

  it.each([
    '/v1/teams',
    '/api/v1/teams',
    '/healthz',
    '/api/healthz',
    '/gateway',
    '/socket.io/?EIO=4&transport=polling',
  ])('a path like one of our own reaches the sandbox: %s', async (path) => {
    expect(await inside('GET', path)).toMatchObject({ status: 200, body: `GET ${path} ` });
  });

  it("the sandbox's own preflight and OPTIONS * reach the sandbox", async () => {
    const preflight = await inside('OPTIONS', '/x', PREFLIGHT);
    expect([preflight.body, preflight.header('access-control-allow-origin')]).toEqual([
      'OPTIONS /x ',
      undefined,
    ]);
    expect((await inside('OPTIONS', '*')).body).toBe('OPTIONS * ');
  });

  it('Expect: 100-continue, and any other expectation, reach the sandbox', async () => {
    const waiting = await inside('PUT', '/x', ['Expect: 100-continue', 'Content-Length: 2'], 'ok');
    expect(waiting.body).toBe('PUT /x ok');
    expect((await inside('GET', '/x', ['Expect: the-unexpected'])).header('x-sandbox-error')).toBeUndefined();
  });

  it('a WebSocket reaches the sandbox, also on a path of a gateway', async () => {
    const headers = { host, 'x-api-key': key };
    const sockets = await Promise.all(
      ['/', '/gateway', '/socket.io/'].map((path) => opened(`ws://127.0.0.1:${port}${path}`, { headers })),
    );
    // Longer than engine.io waits before it ends an upgrade that nobody took.
    if (gateway === 'a socket.io gateway') await pause(1_200);
    for (const socket of sockets) {
      socket.send('there and back');
      expect(String((await once(socket, 'message'))[0])).toBe('there and back');
      socket.terminate();
    }
  });

  it('the API is served as before: its prefix, its body parser, its own errors', async () => {
    expect(await api('GET', '/api/healthz')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect((await api('GET', '/healthz')).status).toBe(404);
    const malformed = ['Content-Type: application/json', 'Content-Length: 5'];
    expect((await api('POST', '/api/v1/teams', malformed, '{"a":')).status).toBe(400);
    expect((await api('GET', '/api/v1/sandboxes')).header('x-sandbox-error')).toBeUndefined();
  });

  it("the API's own preflight is answered by CORS", async () => {
    const preflight = await api('OPTIONS', '/api/v1/teams', PREFLIGHT);
    expect([preflight.status, preflight.header('access-control-allow-origin')]).toEqual([204, '*']);
  });

  it('Expect: 100-continue to the API is answered, and the body read', async () => {
    const asked = httpRequest({ port, host: '127.0.0.1', path: '/api/v1/teams', method: 'POST' });
    asked.setHeader('Expect', '100-continue');
    asked.setHeader('Content-Type', 'application/json');
    asked.flushHeaders();
    await once(asked, 'continue');
    asked.end('{"name":"x"}');
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect([answer.statusCode, await text(answer)]).toEqual([401, expect.any(String)]);
  });

  const OWN: Readonly<Record<Gateway, () => void>> = {
    'no gateway': () => {
      it('an upgrade that is offered to the API is ignored, and the request served', async () => {
        const offer = [
          'Connection: Upgrade, HTTP2-Settings',
          'Upgrade: h2c',
          'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
        ];
        expect(await api('GET', '/api/healthz', offer)).toMatchObject({
          status: 200,
          body: '{"status":"ok"}',
        });
        const websocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'];
        expect((await api('GET', '/api/healthz', websocket)).status).toBe(200);
      });
    },
    'a ws gateway': () => {
      it("the app's own gateway works", async () => {
        const socket = await opened(`ws://127.0.0.1:${port}/gateway`, {});
        socket.send(JSON.stringify({ event: 'say', data: 'hello' }));
        expect(JSON.parse(String((await once(socket, 'message'))[0]))).toEqual({
          event: 'said',
          data: 'hello',
        });
        socket.terminate();
      });
    },
    'a socket.io gateway': () => {
      it("the app's own gateway works", async () => {
        const polled = await api('GET', '/gateway/?EIO=4&transport=polling');
        expect(polled.body).toMatch(/^0\{"sid"/);
        const socket = new WebSocket(`ws://127.0.0.1:${port}/gateway/?EIO=4&transport=websocket`);
        expect(String((await once(socket, 'message'))[0])).toMatch(/^0\{"sid"/);
        socket.terminate();
      });
    },
  };
  OWN[gateway]();

  it('the app closes while a tunnel is open, and the tunnel with it', async () => {
    const socket = await opened(`ws://127.0.0.1:${port}/`, { headers: { host, 'x-api-key': key } });
    const closed = once(socket, 'close');
    await app.close();
    expect(await closed).toBeDefined();
  });
});
