import { assert, expect } from 'vitest';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';
import type { Stage } from './world.js';

const METHODS = 'GET HEAD DELETE OPTIONS PATCH POST PUT PROPFIND REPORT SEARCH LOCK PURGE'.split(' ');

interface Framing {
  readonly name: string;
  readonly lines: readonly string[];
  readonly wire: string;
  readonly body: string;
  readonly kinds: readonly string[];
}

const BIG = 'x'.repeat(70_000);
const FRAMINGS: Framing[] = [
  { name: 'no-body', lines: [], wire: '', body: '', kinds: ['none', 'length'] },
  { name: 'length-0', lines: ['Content-Length: 0'], wire: '', body: '', kinds: ['length', 'none'] },
  {
    name: 'length-5',
    lines: ['Content-Length: 5'],
    wire: 'hello',
    body: 'hello',
    kinds: ['length', 'chunked'],
  },
  {
    name: 'length-70k',
    lines: ['Content-Length: 70000'],
    wire: BIG,
    body: BIG,
    kinds: ['length', 'chunked'],
  },
  {
    name: 'chunked-0',
    lines: ['Transfer-Encoding: chunked'],
    wire: '0\r\n\r\n',
    body: '',
    kinds: ['chunked'],
  },
  {
    name: 'chunked',
    lines: ['Transfer-Encoding: chunked'],
    wire: '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    body: 'hello world',
    kinds: ['chunked'],
  },
  {
    name: 'request-in-body',
    lines: ['Content-Length: 41'],
    wire: 'GET /proxy/x/1/ HTTP/1.1\r\nHost: evil.x\r\n\r\n'.slice(0, 41),
    body: 'GET /proxy/x/1/ HTTP/1.1\r\nHost: evil.x\r\n\r\n'.slice(0, 41),
    kinds: ['length', 'chunked'],
  },
  {
    name: 'request-in-chunk',
    lines: ['transfer-encoding: Chunked'],
    wire: '1f\r\nDELETE /x HTTP/1.1\r\nHost: e\r\n\r\n\r\n0\r\n\r\n',
    body: 'DELETE /x HTTP/1.1\r\nHost: e\r\n\r\n',
    kinds: ['chunked'],
  },
];

async function proveFramed(stage: Stage, method: string, framing: Framing): Promise<void> {
  const { client, answer } = await stage.send(
    stage.head(method, '/f?q=1', framing.lines) + framing.wire,
    method,
  );
  expect(answer.status, 'status').toEqual(200);
  const got = await stage.agent.whole();
  expect([got.method, got.target], 'request line upstream').toEqual([method, `${stage.prefix}/f?q=1`]);
  expect(got.body.data.toString('latin1'), 'body upstream').toEqual(framing.body);
  assert(framing.kinds.includes(got.head.framing), `framing upstream: ${got.head.framing}`);
  assert(got.body.complete, 'body complete upstream');
  client.send(stage.head('GET', '/second'));
  expect((await client.answer()).status, 'second request on the connection').toEqual(200);
  expect(
    stage.agent.received.map((one) => one.target),
    'targets upstream',
  ).toEqual([`${stage.prefix}/f?q=1`, `${stage.prefix}/second`]);
}

for (const method of METHODS)
  for (const framing of FRAMINGS)
    test(`request-framing/${method}-${framing.name} — a ${framing.name} body of ${method} arrives framed, once and whole [${method === 'DELETE' || method === 'OPTIONS' ? 'CVE-2026-29057' : 'RFC 9112 6'}]`, async (world) =>
      proveFramed(await world.stage(), method, framing));

test('request-framing/byte-by-byte — a request that arrives one byte at a time is the same request [RFC 9112 2.2]', async (world) => {
  const stage = await world.stage();
  const client = await stage.client();
  const all = `${stage.head('POST', '/slow', ['Transfer-Encoding: chunked'])}3\r\nabc\r\n0\r\n\r\n`;
  await client.sendSlowly([...all], 1);
  expect((await client.answer('POST')).status, 'status').toEqual(200);
  expect((await stage.agent.whole()).body.data.toString(), 'body').toEqual('abc');
});

test('request-framing/streams-up-at-once — the first bytes of an upload reach the sandbox before the last are sent [RFC 9110 7.6]', async (world) => {
  for (const [lines, first, rest] of [
    [['Content-Length: 6'], 'abc', 'def'],
    [['Transfer-Encoding: chunked'], '3\r\nabc\r\n', '3\r\ndef\r\n0\r\n\r\n'],
  ] as const) {
    const stage = await world.stage();
    const client = await stage.client();
    client.send(stage.head('POST', '/up', lines) + first);
    const got = await stage.agent.request();
    await until(() => got.seen === 3, 'first three bytes at the agent');
    client.send(rest);
    expect((await client.answer('POST')).status, 'status').toEqual(200);
    expect((await stage.agent.whole()).body.data.toString(), 'body').toEqual('abcdef');
  }
});

test('request-framing/head-before-body — the head of an upload reaches the sandbox before any byte of the body is sent [RFC 9110 7.6]', async (world) => {
  for (const line of ['Content-Length: 4', 'Transfer-Encoding: chunked']) {
    const stage = await world.stage();
    const client = await stage.client();
    client.send(stage.head('PUT', '/up', [line]));
    await stage.agent.request();
  }
});

test('request-framing/early-answer — an answer that comes before the upload’s end reaches the client at once [RFC 9110 9.3.4]', async (world) => {
  const stage = await world.stage(
    (exchange) =>
      void exchange.send('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'),
  );
  const client = await stage.client();
  client.send(`${stage.head('POST', '/up', ['Content-Length: 1000000'])}abc`);
  expect((await client.answer('POST')).status, 'status').toEqual(413);
});

test('request-framing/binary-body — all 256 byte values pass in a body [RFC 9110 6.4]', async (world) => {
  const stage = await world.stage();
  const body = Buffer.from(Array.from({ length: 2_048 }, (_, i) => (i * 7) % 256));
  expect((await stage.ask('POST', '/b', [], body.toString('latin1'))).status, 'status').toEqual(200);
  assert((await stage.agent.whole()).body.data.equals(body), 'body bytes differ');
});

test('request-framing/malformed-json — a body that no parser of the API would take passes untouched [GHSA-v2v2-hph8-q5xp]', async (world) => {
  for (const type of [
    'application/json',
    'application/json\t;charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
  ]) {
    const stage = await world.stage();
    const body = '{"a":1,"a":2, 12345678901234567890 }}';
    expect((await stage.ask('POST', '/v1/teams', [`Content-Type: ${type}`], body)).status, 'status').toEqual(
      200,
    );
    expect((await stage.agent.whole()).body.data.toString(), 'body').toEqual(body);
    expect((await stage.agent.request()).values('content-type'), 'Content-Type').toEqual([type]);
  }
});

test('request-framing/same-length-line — a length that was declared stays declared, and the same [RFC 9110 8.6]', async (world) => {
  const stage = await world.stage();
  await stage.ask('POST', '/l', [], 'hello');
  expect((await stage.agent.request()).values('content-length'), 'Content-Length upstream').toEqual(['5']);
});

test('request-framing/large-upload — 16 MiB pass whole, with a slow reader at the other end [CWE-770]', async (world) => {
  const size = 16 * 1_048_576;
  const stage = await world.stage(undefined, { agentOptions: { keepBytes: 1_024 } });
  const client = await stage.client();
  client.send(stage.head('POST', '/big', [`Content-Length: ${size}`]));
  await stage.agent.request();
  const connection = stage.agent.connections[0];
  connection?.socket.pause();
  client.send(Buffer.alloc(size, 'b'));
  await pause(150);
  connection?.socket.resume();
  const head = stage.agent.received[0]?.head.raw.length ?? 0;
  await until(() => connection?.total === head + size, 'all bytes upstream');
});
