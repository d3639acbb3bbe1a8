// CVE-2026-48931: an upstream that writes a response nobody asked for onto an idle keep-alive connection answers the
// next request on it, which may be another tenant's. Node 20.20.2's http.Agent keeps such a socket: measured with
// http-proxy, http-proxy-3 and httpxy, across tenants. Every test here is one way to try it.
import { describe, expect, it } from 'vitest';
import { EMPTY_OK, ProxyStage } from './kit/proxy-stage.js';
import { wholeAnswer } from './kit/answer.js';

const stage = new ProxyStage();
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
const HONEST = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest';

describe('bytes that an agent sends unasked', () => {
  it('on an idle connection close it and answer nobody', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send(EMPTY_OK);
    await wholeAnswer(client);
    upstream.send(POISON);
    await upstream.rest();
    client.send(stage.head('GET', '/next'));
    const fresh = await stage.accept();
    expect(await fresh.head()).toContain('/next');
    fresh.send(HONEST);
    expect((await wholeAnswer(client)).body).toBe('honest');
  });

  it('behind a response do the same', async () => {
    const { client, upstream } = await stage.begin(stage.head('GET', '/'));
    upstream.send(EMPTY_OK + POISON);
    expect((await wholeAnswer(client)).body).toBe('');
    await upstream.rest();
    client.send(stage.head('GET', '/next'));
    const fresh = await stage.accept();
    await fresh.head();
    fresh.send(HONEST);
    expect((await wholeAnswer(client)).body).toBe('honest');
  });

  it('before the request has been sent whole are an answer, and the connection serves no other', async () => {
    const { client, upstream } = await stage.begin(stage.head('POST', '/', ['Content-Length: 5']));
    upstream.send(EMPTY_OK);
    expect(await client.head()).toContain('200 OK');
    await upstream.rest();
    client.close();
    const next = await stage.begin(stage.head('GET', '/next'));
    expect(next.head).toContain('/next');
  });

  it("cannot reach another team's sandbox at the same agent: connections are not shared", async () => {
    const first = await stage.begin(stage.head('GET', '/'));
    first.upstream.send(EMPTY_OK);
    await wholeAnswer(first.client);
    const other = await stage.rows.team();
    const neighbour = await stage.rows.sandbox(other.id, stage.hostId);
    const client = await stage.client();
    client.send(stage.bare('GET', '/', [`Host: 3000-${neighbour.id}.localhost`, `X-API-Key: ${other.key}`]));
    const second = await stage.accept();
    expect(await second.head()).toContain(neighbour.id);
    first.upstream.send(POISON);
    await first.upstream.rest();
    second.send(HONEST);
    expect((await wholeAnswer(client)).body).toBe('honest');
  });
});
