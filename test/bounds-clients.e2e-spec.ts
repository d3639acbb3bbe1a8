import type { Server } from 'node:http';
import { describe, expect, it } from 'vitest';
import { wholeAnswer } from './kit/answer.js';
import { CHUNKED, DOORS, OK, ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import { pause } from './kit/wait.js';

const stage = new ProxyStage();

const large = (bytes: number) => [`X-Large: ${'x'.repeat(bytes)}`];
const post = () => stage.head('POST', '/', ['Expect: 100-continue', 'Content-Length: 4']);

describe('a client that ends its side after its request', () => {
  it('gets the answer of a sandbox, and then the end', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    client.end();
    await stage.roundTrip();
    upstream.send(OK);
    expect(await wholeAnswer(client)).toMatchObject({ status: 200, body: 'ok' });
    expect(await client.closed()).toBe('fin');
  });

  it('gets the answers to all that it has sent', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP').repeat(2));
    client.end();
    const second = await stage.accept();
    second.send(OK);
    await stage.roundTrip();
    upstream.send(OK);
    for (let index = 0; index < 2; index++) expect((await wholeAnswer(client)).body).toBe('ok');
    expect(await client.closed()).toBe('fin');
  });

  it('gets the answer of the API', async () => {
    const client = await stage.client();
    client.end(stage.bare('GET', '/v1/sandboxes', ['Host: localhost', `X-API-Key: ${stage.team.key}`]));
    expect((await wholeAnswer(client)).status).toBe(200);
    expect(await client.closed()).toBe('fin');
  });

  it('is believed to be there as long as its answer goes on', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    client.end();
    upstream.send(CHUNKED);
    for (const startedAtMs = performance.now(); performance.now() - startedAtMs < 11_000; await pause(500))
      upstream.send('1\r\na\r\n');
    upstream.send('0\r\n\r\n');
    expect((await wholeAnswer(client)).body).toMatch(/^a+$/);
  });

  it('is given up when its answer stops', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    client.end();
    upstream.send(`${CHUNKED}1\r\na\r\n`);
    expect(await upstream.closed()).not.toBeNull();
    expect(await client.closed()).not.toBeNull();
  });

  it('is given up after 5 s without a byte', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    const startedAtMs = performance.now();
    client.end();
    expect(await upstream.closed()).not.toBeNull();
    expect(performance.now() - startedAtMs).toBeGreaterThan(4_900);
    expect(await client.closed()).not.toBeNull();
  });
});

describe.each(DOORS)('the head of a request (%s)', (door) => {
  it('may be 60 KB large', async () => {
    const { client, upstream, head } = await stage.begin(stage.knock(door, '/', large(60_000)));
    expect(head).toContain('x'.repeat(60_000));
    upstream.send(door === 'HTTP' ? OK : SWITCHING);
    expect((await wholeAnswer(client)).status).toBe(door === 'HTTP' ? 200 : 101);
  });

  it('that is larger than 64 KiB is answered headers_too_large, and the connection ends', async () => {
    const client = await stage.client();
    client.send(stage.knock(door, '/', large(66_000)));
    const answer = await wholeAnswer(client);
    expect(answer.status).toBe(431);
    expect(answer.header('x-sandbox-error')).toBe('proxy;headers_too_large');
    expect(answer.header('connection')).toBe('close');
    expect(JSON.parse(answer.body)).toEqual({
      error: {
        code: 'headers_too_large',
        message: expect.stringContaining('head'),
        requestId: answer.header('x-request-id'),
      },
    });
    expect(await client.closed()).not.toBeNull();
  });
});

describe('a request that cannot be read', () => {
  it('is answered invalid_request', async () => {
    const answer = await stage.ask('NONSENSE\r\n\r\n');
    expect(answer.status).toBe(400);
    expect(answer.header('x-sandbox-error')).toBe('proxy;invalid_request');
    expect(answer.header('cache-control')).toBe('no-store');
  });

  it('because it is a CONNECT is answered invalid_request, by name', async () => {
    const answer = await stage.ask(stage.head('CONNECT', 'sandbox:80'));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      {
        error: {
          code: 'invalid_request',
          message: expect.stringContaining('CONNECT'),
          requestId: answer.header('x-request-id'),
        },
      },
    ]);
  });

  it('because it does not come in time is answered request_timeout', async () => {
    const server = stage.started.app.getHttpServer() as Server;
    const before = server.headersTimeout;
    server.headersTimeout = 100;
    const answer = await stage.ask(stage.knock('HTTP').slice(0, -2));
    server.headersTimeout = before;
    expect(answer.status).toBe(408);
    expect(answer.header('x-sandbox-error')).toBe('proxy;request_timeout');
  });
});

describe('a body that waits to be asked for', () => {
  it('is asked for after a second, where the app says nothing', async () => {
    const startedAtMs = performance.now();
    const { client, upstream } = await stage.begin(post());
    expect(await client.head()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(performance.now() - startedAtMs).toBeGreaterThan(950);
    client.send('body');
    expect(await upstream.bytes(4)).toBe('body');
    upstream.send(OK);
    expect((await wholeAnswer(client)).body).toBe('ok');
  });

  it('is asked for once, however often', async () => {
    const { client, upstream } = await stage.begin(post());
    upstream.send('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.head()).toContain(' 100 ');
    await pause(1_500);
    client.send('body');
    await upstream.bytes(4);
    upstream.send(OK);
    expect((await wholeAnswer(client)).interim).toEqual([]);
  });

  it('is not asked for behind an answer', async () => {
    const { client, upstream } = await stage.begin(post());
    upstream.send(CHUNKED);
    expect(await client.head()).toContain(' 200 ');
    await pause(1_500);
    upstream.send('0\r\n\r\n');
    expect((await client.chunks()).body).toBe('');
  });
});
