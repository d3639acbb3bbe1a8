import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HostClientPool } from '../src/sandbox-proxy/agent-client/host-client-pool.js';
import { wholeAnswer } from './kit/answer.js';
import { EMPTY_OK, ProxyStage, SWITCHING } from './kit/proxy-stage.js';

const MAX_UNDER_WAY = 32;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const stage = new ProxyStage();

/** What asks for nothing and is answered by the API alone. */
const HEALTH = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('requests ahead of their answers', () => {
  // 9,300 of them took every connection to agents that the process may have
  it('to a sandbox: 32 are let in, then the connection is not read and ends with their answers', async () => {
    const accepted = once(stage.started.app.getHttpServer() as Server, 'connection');
    const { client, upstream } = await stage.begin(stage.knock('HTTP', '/0'));
    const [socket] = (await accepted) as [Socket];
    for (let index = 1; index < MAX_UNDER_WAY; index++) client.send(stage.knock('HTTP', `/${index}`));
    const upstreams = [upstream];
    while (upstreams.length < MAX_UNDER_WAY) {
      const next = await stage.accept();
      await next.head();
      upstreams.push(next);
    }
    // One read can bring some 280 of them.
    client.send(stage.knock('HTTP', '/too-many').repeat(9_000));
    await stage.roundTrip();
    await stage.roundTrip();
    expect(socket.bytesRead).toBeLessThan(100_000);
    for (const agent of upstreams) agent.send(OK);
    for (let index = 0; index < MAX_UNDER_WAY; index++) expect((await wholeAnswer(client)).body).toBe('ok');
    expect(await client.closed()).not.toBeNull();
    expect(client.unread).toBe('');
    expect(stage.started.app.get(HostClientPool).size).toBeLessThanOrEqual(MAX_UNDER_WAY);
    for (const agent of upstreams) expect(agent.unread).toBe('');
  });

  it('in one segment are let in as far as there is room', async () => {
    const client = await stage.client();
    client.send(stage.knock('HTTP').repeat(2_000));
    for (let index = 0; index < MAX_UNDER_WAY; index++) {
      const upstream = await stage.accept();
      await upstream.head();
      upstream.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    }
    for (let index = 0; index < MAX_UNDER_WAY; index++) expect((await wholeAnswer(client)).status).toBe(200);
    expect(await client.closed()).not.toBeNull();
    expect(client.unread).toBe('');
  });

  it('end the connection also where the last of their answers was made already', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP', '/slow'));
    client.send(stage.knock('HTTP').repeat(MAX_UNDER_WAY - 1));
    for (let index = 1; index < MAX_UNDER_WAY; index++) {
      const next = await stage.accept();
      await next.head();
      next.send(OK);
    }
    await stage.roundTrip();
    client.send(stage.knock('HTTP'));
    await stage.roundTrip();
    upstream.send(OK);
    for (let index = 0; index < MAX_UNDER_WAY; index++) expect((await wholeAnswer(client)).status).toBe(200);
    expect(await client.closed()).not.toBeNull();
  });

  it('to the API are bounded by the same number', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    client.send(HEALTH.repeat(500));
    await stage.roundTrip();
    upstream.send(EMPTY_OK);
    for (let index = 0; index < MAX_UNDER_WAY; index++) expect((await wholeAnswer(client)).status).toBe(200);
    expect(await client.closed()).not.toBeNull();
    expect(client.unread).toBe('');
  });

  // 900 lists of 1 MB were made at the same time for clients that read none of them.
  it('to the API are begun one after the other', async () => {
    const begun: ServerResponse[] = [];
    /** For each request: how many answers before it were over when it was begun. */
    const over: number[] = [];
    const server = stage.started.app.getHttpServer() as Server;
    const onRequest = (_request: IncomingMessage, response: ServerResponse): void => {
      over.push(begun.filter(({ writableFinished }) => writableFinished).length);
      begun.push(response);
    };
    server.prependListener('request', onRequest);
    const client = await stage.client();
    const lines = ['Host: localhost', `X-API-Key: ${stage.team.key}`];
    const body = '{"template":"base"}';
    const post = ['Content-Type: application/json', `Content-Length: ${body.length}`];
    client.send(
      stage.bare('GET', '/v1/sandboxes?limit=1', lines) +
        stage.bare('POST', '/v1/sandboxes?second', [...lines, ...post]) +
        body +
        stage.bare('GET', '/v1/sandboxes?limit=3', lines),
    );
    const answers = [await wholeAnswer(client), await wholeAnswer(client, 'POST'), await wholeAnswer(client)];
    server.off('request', onRequest);
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 200]);
    expect(over).toEqual([0, 1, 2]);
  });

  it('to the API behind one whose client leaves are not begun', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    let begun = 0;
    const server = stage.started.app.getHttpServer() as Server;
    const onRequest = ({ url }: IncomingMessage): void => void (begun += url === '/healthz?later' ? 1 : 0);
    server.prependListener('request', onRequest);
    client.send(HEALTH.replace('/healthz', '/healthz?later'));
    await stage.roundTrip();
    client.reset();
    await upstream.closed();
    await stage.roundTrip();
    server.off('request', onRequest);
    expect(begun).toBe(0);
  });

  it('to the API behind an answer that closes the connection are not begun', async () => {
    const urls: string[] = [];
    const server = stage.started.app.getHttpServer() as Server;
    const onRequest = ({ url }: IncomingMessage, response: ServerResponse): void => {
      urls.push(String(url));
      if (url === '/healthz?last') response.setHeader('Connection', 'close');
    };
    server.prependListener('request', onRequest);
    const client = await stage.client();
    client.send(HEALTH.replace('/healthz', '/healthz?last') + HEALTH.replace('/healthz', '/healthz?later'));
    expect((await wholeAnswer(client)).header('connection')).toBe('close');
    expect(await client.closed()).not.toBeNull();
    server.off('request', onRequest);
    expect(urls).toEqual(['/healthz?last']);
  });

  it('are counted out with their answers', async () => {
    const client = await stage.client();
    for (let round = 0; round < 4; round++) {
      client.send(HEALTH.repeat(MAX_UNDER_WAY));
      for (let index = 0; index < MAX_UNDER_WAY; index++)
        expect((await wholeAnswer(client)).status).toBe(200);
    }
    client.send(stage.knock('upgrade'));
    const upstream = await stage.accept();
    await upstream.head();
    upstream.send(SWITCHING);
    expect((await wholeAnswer(client)).status).toBe(101);
  });
});

describe('what cannot be read behind requests that can', () => {
  it('is no answer to them, and ends the connection', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP') + 'NONSENSE\r\n\r\n');
    await stage.roundTrip();
    upstream.send(OK);
    expect(await wholeAnswer(client)).toMatchObject({ status: 200, body: 'ok' });
    expect(await client.closed()).not.toBeNull();
    expect(client.unread).toBe('');
  });

  const CHUNKED = ['Transfer-Encoding: chunked'];

  it('in the body of a request is answered as such', async () => {
    const { client } = await stage.begin(stage.head('POST', '/', CHUNKED));
    client.send('nonsense\r\n');
    const answer = await wholeAnswer(client);
    expect(answer.status).toBe(400);
    expect(answer.header('x-sandbox-error')).toBe('proxy;invalid_request');
    expect(await client.closed()).not.toBeNull();
  });

  it('in the body of a later request overtakes no answer', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    client.send(`${stage.head('POST', '/', CHUNKED)}nonsense\r\n`);
    await client.closed();
    expect(client.unread).toBe('');
    await upstream.rest();
  });
});
