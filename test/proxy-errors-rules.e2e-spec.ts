import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../src/platform/errors/error-status.js';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { DOORS, MISSING, ProxyStage } from './kit/proxy-stage.js';

const stage = new ProxyStage();
const BAD_ID = '80-cl-zz.localhost';

/** Without what differs from one answer to the next. */
function blank(text: string): string {
  return text.replace(/[0-9a-f]{32}/g, '*');
}

describe.each(DOORS)('a request that is wrong in more than one way (%s)', (door) => {
  const NO_KEY = { key: null };
  it.each<[string, ErrorCode, () => Promise<string>]>([
    [
      'host before all',
      'invalid_host',
      async () => stage.knockAt(door, `0-cl-zz.localhost:x`, { ...NO_KEY, path: '/..%2f' }),
    ],
    ['port before credential', 'invalid_port', async () => stage.knockAt(door, '0-cl-zz.localhost', NO_KEY)],
    ['credential before id', 'unauthorized', async () => stage.knockAt(door, BAD_ID, NO_KEY)],
    [
      'credential before sandbox',
      'unauthorized',
      async () => stage.knockAt(door, MISSING, { key: generateApiKey() }),
    ],
    ['id before path', 'invalid_sandbox_id', async () => stage.knockAt(door, BAD_ID, { path: '/..%2f' })],
    [
      'sandbox before path',
      'sandbox_not_found',
      async () => stage.knockAt(door, MISSING, { path: '/..%2f' }),
    ],
    [
      'status before address',
      'sandbox_not_running',
      async () => stage.knockAt(door, await stage.hostOf('', 'paused')),
    ],
    [
      'status before path',
      'sandbox_not_running',
      async () => stage.knockAt(door, await stage.hostOf('', 'paused'), { path: '/..%2f' }),
    ],
    [
      'address before path',
      'host_unavailable',
      async () => stage.knockAt(door, await stage.hostOf(''), { path: '/..%2f' }),
    ],
  ])('gets the answer of the first: %s', async (_name, code, send) => {
    expect((await stage.ask(await send())).header('x-sandbox-error')).toBe(`proxy;${code}`);
  });
});

describe.each(DOORS)("another team's sandbox (%s)", (door) => {
  it('cannot be told from one that does not exist', async () => {
    const answers = [
      await stage.ask(stage.knockAt(door, MISSING)),
      await stage.ask(stage.knockAt(door, await stage.foreignHost())),
    ];
    const [missing, foreign] = answers.map(({ status, fields, body }) => ({
      status,
      fields: fields.map(([name, value]) => [name, name === 'Date' ? '*' : blank(value)]),
      body: blank(body),
    }));
    expect(foreign).toEqual(missing);
    expect(missing?.status).toBe(404);
  });

  it('is hidden whatever its status and its host are', async () => {
    const other = await stage.rows.team();
    const paused = await stage.rows.sandbox(other.id, null, 'paused');
    const answer = await stage.ask(stage.knockAt(door, `80-${paused.id}.localhost`));
    expect(answer.header('x-sandbox-error')).toBe('proxy;sandbox_not_found');
  });
});

describe('an answer for a browser that navigates', () => {
  const BROWSER = ['Accept: text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode: navigate'];

  it('is a small page with the same status and the same headers', async () => {
    const host = await stage.hostOf(stage.agentAddress, 'paused');
    const head = stage.bare('GET', '/<script>', [
      `Host: ${host}`,
      `X-API-Key: ${stage.team.key}`,
      ...BROWSER,
    ]);
    const answer = await stage.ask(head);
    expect(answer.status).toBe(409);
    expect(answer.header('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.header('x-sandbox-error')).toBe('proxy;sandbox_not_running');
    expect(answer.header('content-security-policy')).toContain("default-src 'none'");
    expect(answer.body).toContain('sandbox is not running (status: paused)');
    expect(answer.body).toContain(answer.header('x-request-id'));
    expect(answer.body).not.toContain('<script>');
  });

  it('shows no markup that a row of the database holds', async () => {
    const host = await stage.hostOf(stage.agentAddress, '<img src=x onerror=alert(1)>');
    const head = stage.bare('GET', '/', [`Host: ${host}`, `X-API-Key: ${stage.team.key}`, ...BROWSER]);
    expect((await stage.ask(head)).body).not.toContain('<img');
  });

  it('has no body where only the head was asked for', async () => {
    const client = await stage.client();
    client.send(
      stage.bare('HEAD', '/', [`Host: ${MISSING}`, `X-API-Key: ${stage.team.key}`, 'Connection: close']),
    );
    const { bytes } = await client.rest();
    expect(bytes).toContain('HTTP/1.1 404');
    expect(bytes.endsWith('\r\n\r\n')).toBe(true);
  });
});

describe('a connection on which the proxy has answered', () => {
  it('serves on where the request had come in whole', async () => {
    const client = await stage.client();
    client.send(stage.knockAt('HTTP', MISSING) + stage.knockAt('HTTP', MISSING));
    expect(await client.until('\r\n\r\n')).toContain('404');
    expect(await client.until('HTTP/1.1 404')).toBeTruthy();
  });

  it('is closed where a body was still to come: it could be taken for a request', async () => {
    const client = await stage.client();
    const lines = [`Host: ${MISSING}`, `X-API-Key: ${stage.team.key}`, 'Content-Length: 1000'];
    client.send(stage.bare('POST', '/', lines));
    const head = await client.head();
    expect(head).toContain('404');
    expect(head).toContain('Connection: close');
    client.end();
    await client.rest();
  });

  it('is closed after a refused upgrade (0ang3el/websocket-smuggle)', async () => {
    const client = await stage.client();
    client.send(stage.knockAt('upgrade', MISSING) + stage.knockAt('HTTP', stage.host()));
    const { bytes } = await (client.end(), client.rest());
    expect(bytes.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(bytes).toContain('Connection: close');
  });
});
