import { describe, expect, it } from 'vitest';
import { createLogger, LOGGER } from '../src/program/logging/logger.js';
import { DOORS, MISSING, ProxyStage, SWITCHING } from './kit/proxy-stage.js';
import { wholeAnswer } from './kit/answer.js';

const lines: string[] = [];
const stage = new ProxyStage({
  override: (builder) =>
    builder.overrideProvider(LOGGER).useValue(createLogger('info', { write: (text) => void collect(text) })),
});

/** Several lines may be written at once. */
function collect(text: string): void {
  lines.push(...text.trimEnd().split('\n'));
}

/** Runs something, and gives the lines of proxied requests that it leaves: as many as are expected, and no more. */
async function logged(run: () => Promise<unknown>, count = 1): Promise<Record<string, unknown>[]> {
  lines.length = 0;
  await run();
  const proxied = () =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === 'proxied');
  await expect.poll(() => proxied().length).toBe(count);
  return proxied();
}

const HELLO = 'HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello';
const SECRETS = /hunter2|secret-path|secret-query|secret-body|secret-cookie|wrn_|127\.0\.0\.1/;

describe('the log line of a proxied request', () => {
  it('says who, where, what and how long, once it has ended', async () => {
    const request = stage.head('POST', '/x', ['Content-Length: 3']);
    let requestId: string | undefined;
    const [line] = await logged(async () => {
      const { head } = await stage.exchange(`${request}abc`, HELLO);
      requestId = /X-Request-Id: (.*)\r\n/.exec(head)?.[1];
    });
    expect(line).toEqual({
      level: 30,
      time: expect.any(String),
      msg: 'proxied',
      requestId,
      teamId: stage.team.publicId,
      sandboxId: stage.sandbox.id,
      port: 3000,
      method: 'POST',
      upgrade: false,
      status: 201,
      bytesIn: 3,
      bytesOut: 5,
      totalMs: expect.any(Number),
      firstByteMs: expect.any(Number),
      error: null,
      failure: null,
    });
  });

  it('of a tunnel comes when it closes, with the bytes of both ways', async () => {
    const [line] = await logged(async () => {
      const { client, upstream } = await stage.begin(`${stage.knock('upgrade')}ab`);
      upstream.send(`${SWITCHING}hello`);
      await wholeAnswer(client);
      expect(lines).toEqual([]);
      client.send('c');
      await upstream.bytes(3);
      client.close();
      upstream.close();
    });
    expect(line).toMatchObject({ upgrade: true, status: 101, bytesIn: 3, bytesOut: 5, error: null });
  });

  it('names the error, and what failed below it', async () => {
    const [line] = await logged(async () => {
      const { client, upstream } = await stage.begin(stage.knock('HTTP'));
      upstream.socket.resetAndDestroy();
      await wholeAnswer(client);
    });
    expect(line).toMatchObject({
      status: 502,
      error: 'upstream_unreachable',
      failure: 'ECONNRESET',
      firstByteMs: null,
    });
  });

  it('tells a client that left, and a response that broke off', async () => {
    const [left] = await logged(async () => {
      const { client } = await stage.begin(stage.knock('HTTP'));
      client.socket.resetAndDestroy();
    });
    expect(left).toMatchObject({ status: 0, error: 'client_closed' });
    const [broken] = await logged(async () => {
      const { client, upstream } = await stage.begin(stage.knock('HTTP'));
      upstream.send(HELLO.slice(0, -1));
      await client.until('hell');
      upstream.socket.resetAndDestroy();
      await client.rest();
    });
    expect(broken).toMatchObject({ status: 201, error: 'upstream_truncated', bytesOut: 4 });
  });

  it.each(DOORS.flatMap((door) => [[door, 'Accept: */*'] as const, [door, 'Accept: text/html'] as const]))(
    'names the error of the agent itself (%s, %s)',
    async (door, accept) => {
      const refusal =
        'HTTP/1.1 502 Bad Gateway\r\nX-Sandbox-Error: agent;app_unreachable\r\nContent-Length: 0\r\n\r\n';
      const [line] = await logged(() => stage.exchange(stage.knock(door, '/', [accept]), refusal));
      expect(line).toMatchObject({ status: 502, error: 'agent;app_unreachable', failure: null });
    },
  );

  it.each(DOORS)('is one for a refused request as well (%s)', async (door) => {
    const [line] = await logged(() => stage.ask(stage.knockAt(door, MISSING)));
    expect(line).toMatchObject({
      status: 404,
      error: 'sandbox_not_found',
      teamId: stage.team.publicId,
      upgrade: door === 'upgrade',
    });
    const [unknown] = await logged(() => stage.ask(stage.knockAt(door, stage.host(), { key: 'hunter2' })));
    expect(unknown).toMatchObject({
      status: 401,
      error: 'unauthorized',
      teamId: null,
      sandboxId: stage.sandbox.id,
    });
  });

  it('is one for each of several requests on a connection', async () => {
    const found = await logged(async () => {
      const client = await stage.client();
      client.send(stage.knockAt('HTTP', MISSING).repeat(3));
      for (let i = 0; i < 3; i++) await wholeAnswer(client);
    }, 3);
    expect(new Set(found.map(({ requestId }) => requestId)).size).toBe(3);
  });

  it('is none for what is not proxied', async () => {
    await logged(async () => {
      expect((await fetch(`${stage.started.url}/healthz`)).status).toBe(200);
    }, 0);
  });

  it('never holds a key, a cookie, a path, a query or a body', async () => {
    await logged(async () => {
      const head = [
        'Cookie: a=secret-cookie',
        'Authorization: Bearer hunter2',
        'Content-Length: 11',
        'User-Agent: hunter2',
      ];
      await stage.exchange(
        `${stage.head('POST', '/secret-path?secret-query', head)}secret-body`,
        'HTTP/1.1 200 OK\r\nSet-Cookie: a=secret-cookie\r\nContent-Length: 11\r\n\r\nsecret-body',
      );
    });
    expect(lines.join('')).not.toMatch(SECRETS);
  });

  it('says nothing of it when a request fails, either', async () => {
    await logged(async () => {
      const { client, upstream } = await stage.begin(
        stage.head('GET', '/secret-path?secret-query', ['Cookie: secret-cookie']),
      );
      upstream.send('HTTP/1.1 200 OK\r\nContent-Length: secret-body\r\n\r\n');
      await wholeAnswer(client);
    });
    expect(lines.join('')).not.toMatch(SECRETS);
  });
});

describe('a line of the log', () => {
  const FORGED = '{"level":60,"msg":"forged"}';

  it.each([
    [
      'a line break in the path',
      (key: string) => `GET /\n${FORGED} HTTP/1.1\r\nHost: 80-cl-x.localhost\r\nX-API-Key: ${key}\r\n\r\n`,
    ],
    ['a line break in the Host header', () => `GET / HTTP/1.1\r\nHost: 80-cl-x.localhost\n${FORGED}\r\n\r\n`],
    [
      'a carriage return in a header',
      () => `GET / HTTP/1.1\r\nHost: 80-cl-x.localhost\r\nX-API-Key: a\r${FORGED}\r\n\r\n`,
    ],
    [
      'control characters in the key',
      () => `GET / HTTP/1.1\r\nHost: 80-cl-x.localhost\r\nX-API-Key: \x1b[2J\x07\r\n\r\n`,
    ],
    [
      'odd bytes in the Host header',
      () => `GET / HTTP/1.1\r\nHost: 80-cl-\u00ff\u0085\u2028.localhost\r\n\r\n`,
    ],
    ['a made-up method', () => `GE\u0000T / HTTP/1.1\r\nHost: 80-cl-x.localhost\r\n\r\n`],
    ['no HTTP', () => `${FORGED}\r\n${FORGED}\r\n\r\n`],
  ])('cannot be forged by %s', async (_how, bytes) => {
    lines.length = 0;
    const client = await stage.client();
    client.send(bytes(stage.team.key));
    client.end();
    await client.rest();
    const read = lines.map((line) => JSON.parse(line) as { level: number });
    expect(read.filter(({ level }) => level === 60)).toEqual([]);
    expect(lines.join('')).not.toContain('forged');
  });
});
