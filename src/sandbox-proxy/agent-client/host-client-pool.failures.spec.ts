import { performance } from 'node:perf_hooks';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { A, OK, PoolAndAgent, Told } from '../../../test/kit/pool-and-agent.js';
import { startRawServer } from '../../../test/kit/raw-server.js';
import {
  UpstreamInvalidResponseError,
  UpstreamTimeoutError,
  UpstreamTruncatedError,
  UpstreamUnreachableError,
} from '../errors.js';

const stage = new PoolAndAgent();
const { call, exchange, raced } = stage;

describe('a connection that died while idle', () => {
  it.each(['GET', 'HEAD', 'OPTIONS'])(
    'costs a %s one more attempt, on a fresh connection',
    async (method) => {
      const told = await raced({ method });
      const fresh = await stage.agent.accept();
      await fresh.head();
      fresh.send('HTTP/1.1 204 No Content\r\n\r\n');
      expect(await told.done).toBe('204 end');
    },
  );

  it('is retried once and not again', async () => {
    const told = await raced({ method: 'GET' });
    const fresh = await stage.agent.accept();
    await fresh.head();
    fresh.socket.resetAndDestroy();
    expect(await told.done).toBe('UpstreamUnreachableError');
  });

  it.each([
    ['POST', false],
    ['POST', true],
    ['PUT', true],
    ['DELETE', false],
    ['PATCH', false],
    ['GET', true],
  ])('fails a %s (body: %s): it may have been executed', async (method, hasBody) => {
    const told = await raced({ method, hasBody });
    expect(await told.done).toBe('UpstreamUnreachableError');
    expect(stage.pool.sizeOf(A)).toBe(0);
  });

  // Bytes that nobody asked for come in the turn in which a request is put on the connection.
  it('costs any request one more attempt if nothing of it had left, with what had come of its body', async () => {
    const connection = await exchange();
    await turnEnd();
    connection.send('x');
    const told = new Told();
    const post = stage.pool.dispatch({ ...stage.request({ method: 'POST' }), hasBody: true }, told);
    post.write(Buffer.from('hel'));
    const fresh = await stage.agent.accept();
    post.write(Buffer.from('lo'));
    post.finish();
    await fresh.head();
    expect(await fresh.bytes(5)).toBe('hello');
    fresh.send(OK);
    expect(await told.done).toBe('200 ok end');
    expect((await connection.rest()).bytes).toBe('');
    await exchange(fresh);
  });

  it('is no reason to retry once a byte of an answer has come', async () => {
    const connection = await exchange();
    const told = call();
    await connection.head();
    // Not by a reset, which may overtake the byte.
    connection.end('HTTP/1.1 200');
    expect(await told.done).toBe('UpstreamUnreachableError');
  });

  it('is taken out of the pool when the agent ends it, before anybody meets it', async () => {
    const connection = await exchange();
    connection.end();
    await connection.rest();
    expect(stage.pool.sizeOf(A)).toBe(0);
  });
});

describe('a request that fails', () => {
  it('does so where nobody listens', async () => {
    const { port } = stage.agent;
    await stage.agent.close();
    const told = call({}, `127.0.0.1:${port}`);
    expect(await told.done).toBe('UpstreamUnreachableError');
    expect(told.error).toBeInstanceOf(UpstreamUnreachableError);
    stage.agent = await startRawServer();
  });

  it.each([
    ['connect', 'https', 5_000],
    ['first byte', 'http', 300_000],
  ])('does so when the %s clock runs out', async (phase, scheme, limitMs) => {
    // An agent that accepts and then says nothing: no TLS handshake, or no answer.
    const told = call({}, `${scheme}://127.0.0.1:${stage.agent.port}`);
    const connection = await stage.agent.accept();
    await connection.until(scheme === 'http' ? '\r\n\r\n' : '\x16\x03');
    const now = performance.now();
    stage.pool.tick(now + limitMs - 1_000);
    expect(stage.pool.sizeOf(A)).toBe(1);
    stage.pool.tick(now + limitMs + 1_000);
    expect(await told.done).toBe('UpstreamTimeoutError');
    expect(told.error).toBeInstanceOf(UpstreamTimeoutError);
    expect(told.error).toMatchObject({ phase });
    await connection.rest();
  });

  it('has no total clock: once the head is there it may take for ever', async () => {
    const told = call();
    const connection = await stage.agent.accept();
    await connection.head();
    connection.send(OK.slice(0, -1));
    await expect.poll(() => told.words).toEqual(['200', 'o']);
    stage.pool.tick(performance.now() + 1e9);
    connection.send('k');
    expect(await told.done).toBe('200 o k end');
  });

  it('is told whether an answer was invalid, broke off, or never came', async () => {
    const stories: [string, string, abstract new (...args: never[]) => Error][] = [
      ['SSH-2.0-x\r\n', 'UpstreamInvalidResponseError', UpstreamInvalidResponseError],
      [OK.slice(0, -1), '200 o UpstreamTruncatedError', UpstreamTruncatedError],
      ['', 'UpstreamUnreachableError', UpstreamUnreachableError],
    ];
    for (const [answer, story, type] of stories) {
      const told = call();
      const connection = await stage.agent.accept();
      await connection.head();
      connection.send(answer);
      connection.end();
      expect(await told.done).toBe(story);
      expect(told.error).toBeInstanceOf(type);
      expect(stage.pool.sizeOf(A)).toBe(0);
    }
  });
});
