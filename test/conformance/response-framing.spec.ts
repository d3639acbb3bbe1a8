import { assert, expect } from 'vitest';
import { answer, always, type Script } from '../kit/agent.js';
import { valuesOf } from '../kit/answer.js';
import { bytes } from '../kit/byte-stream.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';

interface Framing {
  readonly name: string;
  readonly lines: readonly string[];
  readonly wire: string;
  readonly body: string;
  readonly ends?: boolean;
}

const BIG = 'y'.repeat(80_000);
const FRAMINGS: Framing[] = [
  { name: 'length', lines: ['Content-Length: 5'], wire: 'hello', body: 'hello' },
  { name: 'length-0', lines: ['Content-Length: 0'], wire: '', body: '' },
  { name: 'length-80k', lines: ['Content-Length: 80000'], wire: BIG, body: BIG },
  {
    name: 'chunked',
    lines: ['Transfer-Encoding: chunked'],
    wire: '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
    body: 'hello',
  },
  { name: 'chunked-0', lines: ['Transfer-Encoding: chunked'], wire: '0\r\n\r\n', body: '' },
  {
    name: 'chunk-extension',
    lines: ['Transfer-Encoding: chunked'],
    wire: '5;a=b;c="d"\r\nhello\r\n0;x\r\n\r\n',
    body: 'hello',
  },
  {
    name: 'chunk-leading-zeros',
    lines: ['transfer-encoding: Chunked'],
    wire: '0005\r\nhello\r\n000\r\n\r\n',
    body: 'hello',
  },
  { name: 'by-close', lines: [], wire: 'hello', body: 'hello', ends: true },
  { name: 'by-close-empty', lines: [], wire: '', body: '', ends: true },
  {
    name: 'length-and-close',
    lines: ['Connection: close', 'Content-Length: 5'],
    wire: 'hello',
    body: 'hello',
    ends: true,
  },
];

const STATUSES = [200, 201, 206, 302, 404, 500, 599];

function sending(status: number, framing: Framing, version = 'HTTP/1.1'): Script {
  const head = [`${version} ${status} Any`, ...framing.lines, 'X-Mark: m'].join('\r\n');
  return always(`${head}\r\n\r\n${framing.wire}`, framing.ends ? 'fin' : 'keep');
}

for (const status of STATUSES)
  for (const framing of FRAMINGS)
    test(`response-framing/${status}-${framing.name} — a ${framing.name} body of a ${status} reaches the client whole and framed [RFC 9112 6.3]`, async (world) => {
      const stage = await world.stage(sending(status, framing));
      const { client, answer: got } = await stage.send(stage.head('GET', '/f'));
      expect([got.status, got.body, got.complete], 'answer').toEqual([status, framing.body, true]);
      if (framing.lines.some((line) => line.startsWith('Content-Length')))
        expect(got.all('content-length'), 'Content-Length').toEqual([String(framing.body.length)]);
      if (got.framing === 'close') return;
      client.send(stage.head('GET', '/again'));
      expect((await client.answer()).status, 'second request on the connection').toEqual(status);
    });

const BODILESS: [name: string, method: string, status: number, lines: string[]][] = [
  ['head-length', 'HEAD', 200, ['Content-Length: 500']],
  ['head-chunked', 'HEAD', 200, ['Transfer-Encoding: chunked']],
  ['head-bare', 'HEAD', 200, []],
  ['head-404', 'HEAD', 404, ['Content-Length: 12']],
  ['204', 'GET', 204, []],
  ['204-post', 'POST', 204, []],
  ['304', 'GET', 304, ['ETag: "x"']],
  ['304-length', 'GET', 304, ['ETag: "x"', 'Content-Length: 500']],
  ['304-chunked', 'GET', 304, ['Transfer-Encoding: chunked']],
  ['204-length-0', 'GET', 204, ['Content-Length: 0']],
];

for (const [name, method, status, lines] of BODILESS)
  test(`response-framing/no-body-${name} — an answer without a body ends with its head, and the connection lives on [RFC 9110 9.3.2, 15.3.5, 15.4.5]`, async (world) => {
    const stage = await world.stage(async (exchange) => {
      await exchange.body();
      if (exchange.index > 0) exchange.send(answer(200, 'next'));
      else
        exchange.send(
          `HTTP/1.1 ${status} Any\r\n${lines.map((line) => `${line}\r\n`).join('')}X-Mark: m\r\n\r\n`,
        );
    });
    const { client, answer: got } = await stage.send(
      stage.head(method, '/n', method === 'POST' ? ['Content-Length: 0'] : []),
      method,
    );
    expect([got.status, got.body.length, got.all('x-mark')], 'answer').toEqual([status, 0, ['m']]);
    const sent = lines.find(
      (line) => line.startsWith('Content-Length: 5') || line.startsWith('Content-Length: 12'),
    );
    if (sent) expect(got.all('content-length'), 'Content-Length').toEqual([sent.slice(16)]);
    if (status === 204)
      expect([...got.all('content-length'), ...got.all('transfer-encoding')], 'framing of a 204').toEqual([]);
    client.send(stage.head('GET', '/next'));
    const next = await client.answer();
    expect([next.status, next.body], 'next answer on the connection').toEqual([200, 'next']);
  });

for (const framing of FRAMINGS)
  for (const line of ['', 'Connection: keep-alive'] as const)
    test(`response-framing/http10-client-${framing.name}${line ? '-keep-alive' : ''} — an HTTP/1.0 client gets the body without chunks, and an end it can see [RFC 9112 6.1, 9.3]`, async (world) => {
      const stage = await world.stage(sending(200, framing));
      const client = await stage.client();
      client.send(stage.bare('GET /old HTTP/1.0', [`X-API-Key: ${stage.key}`, ...(line ? [line] : [])]));
      const got = await client.answer();
      expect([got.status, got.body, got.complete], 'answer').toEqual([200, framing.body, true]);
      assert(got.framing !== 'chunked', 'chunked to an HTTP/1.0 client');
      expect((await stage.agent.request()).head.raw.split('\r\n')[0], 'upstream request line').toEqual(
        `GET ${stage.prefix}/old HTTP/1.1`,
      );
      if (!line) expect(await client.closed(), 'end of the connection').toEqual('fin');
    });

for (const framing of FRAMINGS.filter(({ lines }) => !lines.some((line) => /chunked/i.test(line))))
  test(`response-framing/http10-upstream-${framing.name} — an HTTP/1.0 answer of the sandbox is passed on as HTTP/1.1 [RFC 9112 2.3]`, async (world) => {
    const stage = await world.stage(sending(200, { ...framing, ends: true }, 'HTTP/1.0'));
    const got = await stage.ask('GET', '/o');
    expect([got.version, got.status, got.body, got.complete], 'answer').toEqual([
      'HTTP/1.1',
      200,
      framing.body,
      true,
    ]);
    await stage.proveClean();
  });

test('response-framing/streams-down-at-once — head and each event reach the client when they are sent, on every framing [WHATWG HTML 9.2]', async (world) => {
  for (const [head, one, two] of [
    ['Transfer-Encoding: chunked', '8\r\ndata: 1\n\r\n', '8\r\ndata: 2\n\r\n0\r\n\r\n'],
    ['Content-Length: 16', 'data: 1\n', 'data: 2\n'],
    ['Connection: close', 'data: 1\n', 'data: 2\n'],
  ] as const) {
    let go: (() => void) | undefined;
    const stage = await world.stage(async (exchange) => {
      exchange.send(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${head}\r\n\r\n`);
      await new Promise<void>((resolve) => (go = resolve));
      exchange.send(one);
      await new Promise<void>((resolve) => (go = resolve));
      exchange.connection.end(two);
    });
    const client = await stage.client();
    client.send(stage.head('GET', '/sse'));
    await until(() => client.transcript.includes('\r\n\r\n'), 'the head before any event');
    go?.();
    await until(() => client.transcript.includes('data: 1'), 'the first event before the second');
    assert(!client.transcript.includes('data: 2'), 'second event came early');
    go?.();
    const got = await client.answer();
    expect([got.body, got.complete], 'stream').toEqual(['data: 1\ndata: 2\n', true]);
  }
});

test('response-framing/cut-at-every-byte — an answer that arrives byte by byte is the same answer [RFC 9112 2.2]', async (world) => {
  const wire =
    'HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n';
  const stage = await world.stage(async (exchange) => {
    for (const byte of wire) {
      exchange.send(byte);
      await pause(1);
    }
  });
  const got = await stage.ask('GET', '/b');
  expect([got.status, got.body, got.all('x-a'), got.complete], 'answer').toEqual([200, 'abc', ['1'], true]);
  expect(valuesOf(got.trailers, 'x-t'), 'trailer').toEqual(['1']);
});

test('response-framing/large-download — 16 MiB pass whole to a client that pauses [CWE-770]', async (world) => {
  const size = 16 * 1_048_576;
  const stage = await world.stage(
    always(
      Buffer.concat([bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), Buffer.alloc(size, 'z')]),
    ),
  );
  const client = await stage.world.client(4_096);
  client.send(stage.head('GET', '/big'));
  await until(() => client.total > 0, 'first bytes');
  client.socket.pause();
  await pause(200);
  client.socket.resume();
  await until(() => client.total >= size, 'all bytes');
});

test('response-framing/crlf-before-second-answer — an answer right behind another on the pool does not become the next client’s [CVE-2026-48931]', async (world) => {
  const stage = await world.stage(always(`${answer(200, 'mine')}${answer(200, 'POISON')}`));
  expect((await stage.ask('GET', '/1')).body, 'first body').toEqual('mine');
  await stage.proveClean();
});
