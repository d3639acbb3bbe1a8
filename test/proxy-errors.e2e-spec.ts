import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../src/platform/errors/error-status.js';
import { generateApiKey } from '../src/platform/identifiers/api-key.js';
import { type Door, DOORS, MISSING, ProxyStage } from './kit/proxy-stage.js';
import type { Answer } from './kit/answer.js';
import { startRawServer } from './kit/raw-server.js';

const stage = new ProxyStage({
  env: {
    UPSTREAM_CONNECT_TIMEOUT_MS: '1000',
    UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '2500',
    UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX: '1',
  },
});

interface Row {
  readonly when: string;
  readonly code: ErrorCode;
  readonly status: number;
  readonly message?: RegExp;
  readonly fields?: Readonly<Record<string, string>>;
  readonly send: (door: Door) => Promise<string>;
}

let deadPort = 0;
let silentPort = 0;
const servers: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  const [dead, silent] = [await startRawServer(), await startRawServer()];
  await dead.close();
  servers.push(silent);
  [deadPort, silentPort] = [dead.port, silent.port];
});
afterAll(() => Promise.all(servers.map((server) => server.close())));

const ROWS: Row[] = [
  ...['0', '65536', '99999999999'].map((port) => ({
    when: `the port is ${port}`,
    code: 'invalid_port' as const,
    status: 400,
    send: async (door: Door) => stage.knockAt(door, `${port}-${stage.sandbox.id}.localhost`),
  })),
  ...['cl-1', `cl-${'z'.repeat(25)}`, `cl-${'0'.repeat(26)}`].map((id) => ({
    when: `the id ${id} decodes to nothing`,
    code: 'invalid_sandbox_id' as const,
    status: 400,
    send: async (door: Door) => stage.knockAt(door, `80-${id}.localhost`),
  })),
  ...['/a/..%2f..%2fx', '/..%5cx', '/..\\x', '/a#b'].map((path) => ({
    when: `the path is ${path}`,
    code: 'invalid_path' as const,
    status: 400,
    send: async (door: Door) => stage.knockAt(door, stage.host(), { path }),
  })),
  {
    when: 'there is junk behind the host name',
    code: 'invalid_host',
    status: 400,
    send: async (door) => stage.knockAt(door, `${stage.host()}:80x`),
  },
  {
    when: 'there are two Host headers',
    code: 'invalid_host',
    status: 400,
    send: async (door) => stage.knockAt(door, `${stage.host()}\r\nHost: ${stage.host()}`),
  },
  {
    when: 'there is no credential',
    code: 'unauthorized',
    status: 401,
    message: /^X-API-Key header required$/,
    send: async (door) => stage.knockAt(door, stage.host(), { key: null }),
  },
  ...['wrn_short', 'anything', '', generateApiKey()].map((key) => ({
    when: `the key is ${key.slice(0, 9) || 'empty'}`,
    code: 'unauthorized' as const,
    status: 401,
    message: /^invalid API key$/,
    send: async (door: Door) => stage.knockAt(door, stage.host(), { key }),
  })),
  {
    when: 'there is no such sandbox',
    code: 'sandbox_not_found',
    status: 404,
    message: /^sandbox not found$/,
    send: async (door) => stage.knockAt(door, MISSING),
  },
  {
    when: "the sandbox is another team's",
    code: 'sandbox_not_found',
    status: 404,
    message: /^sandbox not found$/,
    send: async (door) => stage.knockAt(door, await stage.foreignHost()),
  },
  ...['pending', 'starting', 'paused', 'hibernated', 'stopped', 'missing', 'error'].map((status) => ({
    when: `the sandbox is ${status}`,
    code: 'sandbox_not_running' as const,
    status: 409,
    message: new RegExp(`^sandbox is not running \\(status: ${status}\\)$`),
    fields: { status },
    send: async (door: Door) => stage.knockAt(door, await stage.hostOf(stage.agentAddress, status)),
  })),
  ...[null, '', 'nonsense', '169.254.169.254:80', 'http://x:1/path'].map((address) => ({
    when: `the host's address is ${JSON.stringify(address)}`,
    code: 'host_unavailable' as const,
    status: 503,
    send: async (door: Door) => stage.knockAt(door, await stage.hostOf(address)),
  })),
  {
    when: "the host's address is this program's own",
    code: 'host_unavailable',
    status: 503,
    send: async (door) => stage.knockAt(door, await stage.hostOf(`127.0.0.1:${stage.started.port}`)),
  },
  {
    when: 'the agent refuses the connection',
    code: 'upstream_unreachable',
    status: 502,
    send: async (door) => stage.knockAt(door, await stage.hostOf(`127.0.0.1:${deadPort}`)),
  },
  {
    when: 'the agent does not finish the TLS handshake in time',
    code: 'upstream_timeout',
    status: 504,
    send: async (door) => stage.knockAt(door, await stage.hostOf(`https://127.0.0.1:${silentPort}`)),
  },
  {
    when: 'the sandbox does not answer in time',
    code: 'upstream_timeout',
    status: 504,
    send: async (door) => stage.knockAt(door, await stage.hostOf(`127.0.0.1:${silentPort}`)),
  },
  {
    when: 'the sandbox has all the connections that it may have',
    code: 'sandbox_busy',
    status: 503,
    send: async (door) => {
      await stage.begin(stage.knock('HTTP'));
      return stage.knockAt(door, stage.host());
    },
  },
];

/** What holds for every answer of the proxy itself. */
function expectAnswer(answer: Answer, { code, status, message, fields }: Row): void {
  const { error } = JSON.parse(answer.body) as { error: Record<string, unknown> };
  expect(error).toEqual({
    code,
    message: expect.stringMatching(message ?? /^[\x20-\x7e]{10,120}$/),
    requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    ...fields,
  });
  expect(answer.body).not.toMatch(/127\.0\.0\.1|169\.254|node_modules|\.ts|\.js/);
  expect(answer.all('x-sandbox-error')).toEqual([`proxy;${code}`]);
  expect(answer.header('x-request-id')).toBe(error['requestId']);
  expect(answer.header('cache-control')).toBe('no-store');
  expect(answer.header('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.header('retry-after') !== undefined).toBe(status === 503);
  expect(answer.header('www-authenticate') !== undefined).toBe(status === 401);
  expect(answer.header('x-powered-by')).toBeUndefined();
}

describe.each(DOORS)("the proxy's own answer (%s)", (door) => {
  it.each(ROWS)('is $status $code when $when', async (row) => {
    const answer = await stage.ask(await row.send(door));
    expect(answer.status).toBe(row.status);
    expectAnswer(answer, row);
  });

  it('is 502 upstream_unreachable when the agent resets before its answer', async () => {
    const { client, upstream } = await stage.begin(stage.knock(door));
    upstream.socket.resetAndDestroy();
    expect(await client.head()).toContain('X-Sandbox-Error: proxy;upstream_unreachable');
  });

  it.each([
    ['no HTTP', 'SSH-2.0-x\r\n'],
    ['an impossible status', 'HTTP/1.1 42 Low\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ])('is 502 upstream_invalid_response when the agent sends %s', async (_what, bytes) => {
    const { client, upstream } = await stage.begin(stage.knock(door));
    upstream.send(bytes);
    expect(await client.head()).toContain('X-Sandbox-Error: proxy;upstream_invalid_response');
  });
});
