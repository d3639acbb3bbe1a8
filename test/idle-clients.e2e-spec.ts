import { describe, expect, it } from 'vitest';
import { Listener } from '../src/program/listener.service.js';
import { KEEP_ALIVE_TIMEOUT_MS } from '../src/sandbox-proxy/node-internals/idle-clients.js';
import { EMPTY_OK, ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import { wholeAnswer } from './kit/answer.js';

const stage = new ProxyStage();

/** As if no request had come for that long. */
function pass(): void {
  const idle = stage.started.app.get(Listener);
  const nowMs = performance.now();
  idle.closeIdle(nowMs);
  idle.closeIdle(nowMs + KEEP_ALIVE_TIMEOUT_MS);
}

describe('a client connection that is idle for 620 s', () => {
  it('is closed after an answer of a sandbox, and after one of the API', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    upstream.send(EMPTY_OK);
    await wholeAnswer(client, 'GET');
    const other = await stage.client();
    other.send(stage.bare('GET', '/healthz', ['Host: localhost']));
    await wholeAnswer(other, 'GET');
    await stage.roundTrip();
    pass();
    expect((await client.rest()).ending).toBe('fin');
    expect((await other.rest()).ending).toBe('fin');
  });

  it('is not idle while an answer is awaited', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    pass();
    upstream.send(EMPTY_OK);
    expect((await wholeAnswer(client, 'GET')).status).toBe(200);
  });

  it('is not idle once it is a tunnel, however silent, also where a request came over it before', async () => {
    const { client, upstream } = await stage.begin(stage.knock('HTTP'));
    upstream.send(EMPTY_OK);
    await wholeAnswer(client, 'GET');
    client.send(stage.knock('upgrade'));
    const agent = await stage.accept();
    await agent.head();
    agent.send(SWITCHING);
    await client.head();
    pass();
    agent.send('still here');
    expect(await client.bytes(10)).toBe('still here');
  });
});
