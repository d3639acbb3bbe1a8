import { describe, expect, it } from 'vitest';
import { wholeAnswer } from './kit/answer.js';
import { CHUNKED, ProxyStage } from './kit/proxy-stage.js';

const COUNT = 40_000;
const TINY = '1\r\na\r\n'.repeat(COUNT);
/** A fifth of a core, at 3.3 µs for a chunk. */
const AT_LEAST_MS = COUNT * 0.0165 * 0.8;

const stage = new ProxyStage();

describe('chunks of one byte', () => {
  it('that a client sends to a sandbox are read slowly, and arrive whole', async () => {
    const startedAtMs = performance.now();
    const { client, upstream } = await stage.begin(stage.head('POST', '/', ['Transfer-Encoding: chunked']));
    client.send(`${TINY}0\r\n\r\n`);
    expect((await upstream.chunks()).body).toHaveLength(COUNT);
    expect(performance.now() - startedAtMs).toBeGreaterThan(AT_LEAST_MS);
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await wholeAnswer(client)).body).toBe('ok');
  });

  it('that a client sends to the API without a key are read slowly', async () => {
    const client = await stage.client();
    const startedAtMs = performance.now();
    const lines = ['Host: localhost', 'Content-Type: application/json', 'Transfer-Encoding: chunked'];
    client.send(stage.bare('POST', '/v1/sandboxes', lines));
    client.send(`${TINY}0\r\n\r\n`);
    // It is no JSON, which is found out before the key is missed.
    expect((await wholeAnswer(client)).status).toBe(400);
    expect(performance.now() - startedAtMs).toBeGreaterThan(AT_LEAST_MS);
  });

  it('that an app sends reach the client whole', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    upstream.send(`${CHUNKED}${TINY}0\r\n\r\n`);
    expect((await wholeAnswer(client)).body).toHaveLength(COUNT);
  });
});

// CVE-2023-39326: 2.8 ms for 128 KiB of them, and other clients waited 5 s
it('chunks of an app that are all extension are refused', async () => {
  const { client, upstream } = await stage.begin(stage.knock('HTTP'));
  upstream.send(CHUNKED + `1;${'x'.repeat(900)}\r\na\r\n`.repeat(100));
  await expect(wholeAnswer(client)).rejects.toThrow('cut off');
  expect(await upstream.closed()).not.toBeNull();
});
