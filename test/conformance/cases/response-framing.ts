import { always, answer, type Script } from '../harness/agent.js';
import { bytes, pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { valuesOf } from '../harness/response-reader.js';

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

const matrix = STATUSES.flatMap((status) =>
  FRAMINGS.map((framing): Case => ({
    id: `response-framing/${status}-${framing.name}`,
    rule: `a ${framing.name} body of a ${status} reaches the client whole and framed`,
    source: 'RFC 9112 6.3',
    run: async (world) => {
      const stage = await world.stage(sending(status, framing));
      const { client, answer: got } = await stage.send(stage.head('GET', '/f'));
      same([got.status, got.body.toString(), got.complete], [status, framing.body, true], 'answer');
      if (framing.lines.some((line) => line.startsWith('Content-Length')))
        same(valuesOf(got.fields, 'content-length'), [String(framing.body.length)], 'Content-Length');
      if (got.framing === 'close') return;
      client.send(stage.head('GET', '/again'));
      same((await client.answer()).status, status, 'second request on the connection');
    },
  })),
);

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
const bodiless = BODILESS.map(([name, method, status, lines]): Case => ({
  id: `response-framing/no-body-${name}`,
  rule: 'an answer without a body ends with its head, and the connection lives on',
  source: 'RFC 9110 9.3.2, 15.3.5, 15.4.5',
  run: async (world) => {
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
    same([got.status, got.body.length, valuesOf(got.fields, 'x-mark')], [status, 0, ['m']], 'answer');
    const sent = lines.find(
      (line) => line.startsWith('Content-Length: 5') || line.startsWith('Content-Length: 12'),
    );
    if (sent) same(valuesOf(got.fields, 'content-length'), [sent.slice(16)], 'Content-Length');
    if (status === 204)
      same(
        [...valuesOf(got.fields, 'content-length'), ...valuesOf(got.fields, 'transfer-encoding')],
        [],
        'framing of a 204',
      );
    client.send(stage.head('GET', '/next'));
    const next = await client.answer();
    same([next.status, next.body.toString()], [200, 'next'], 'next answer on the connection');
  },
}));

const oldClients = FRAMINGS.flatMap((framing) =>
  (['', 'Connection: keep-alive'] as const).map((line): Case => ({
    id: `response-framing/http10-client-${framing.name}${line ? '-keep-alive' : ''}`,
    rule: 'an HTTP/1.0 client gets the body without chunks, and an end it can see',
    source: 'RFC 9112 6.1, 9.3',
    run: async (world) => {
      const stage = await world.stage(sending(200, framing));
      const client = await stage.client();
      client.send(stage.bare('GET /old HTTP/1.0', [`X-API-Key: ${stage.key}`, ...(line ? [line] : [])]));
      const got = await client.answer();
      same([got.status, got.body.toString(), got.complete], [200, framing.body, true], 'answer');
      check(got.framing !== 'chunked', 'chunked to an HTTP/1.0 client');
      same(
        (await stage.agent.request()).head.raw.split('\r\n')[0],
        `GET ${stage.prefix}/old HTTP/1.1`,
        'upstream request line',
      );
      if (!line) same(await client.closed(), 'fin', 'end of the connection');
    },
  })),
);

const oldAgents = FRAMINGS.filter(({ lines }) => !lines.some((line) => /chunked/i.test(line))).map(
  (framing): Case => ({
    id: `response-framing/http10-upstream-${framing.name}`,
    rule: 'an HTTP/1.0 answer of the sandbox is passed on as HTTP/1.1',
    source: 'RFC 9112 2.3',
    run: async (world) => {
      const stage = await world.stage(sending(200, { ...framing, ends: true }, 'HTTP/1.0'));
      const got = await stage.ask('GET', '/o');
      same(
        [got.version, got.status, got.body.toString(), got.complete],
        ['HTTP/1.1', 200, framing.body, true],
        'answer',
      );
      await stage.proveClean();
    },
  }),
);

const single: Case[] = [
  {
    id: 'response-framing/streams-down-at-once',
    rule: 'head and each event reach the client when they are sent, on every framing',
    source: 'issue 2, SSE',
    run: async (world) => {
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
        await until(() => client.bytes.includes('\r\n\r\n'), 'the head before any event', 1_500);
        go?.();
        await until(() => client.bytes.includes('data: 1'), 'the first event before the second', 1_500);
        check(!client.bytes.includes('data: 2'), 'second event came early');
        go?.();
        const got = await client.answer();
        same([got.body.toString(), got.complete], ['data: 1\ndata: 2\n', true], 'stream');
      }
    },
  },
  {
    id: 'response-framing/cut-at-every-byte',
    rule: 'an answer that arrives byte by byte is the same answer',
    source: 'RFC 9112 2.2',
    run: async (world) => {
      const wire =
        'HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n3;e=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n';
      const stage = await world.stage(async (exchange) => {
        for (const byte of wire) {
          exchange.send(byte);
          await pause(1);
        }
      });
      const got = await stage.ask('GET', '/b');
      same([got.status, got.body.toString(), valuesOf(got.fields, 'x-a')], [200, 'abc', ['1']], 'answer');
    },
  },
  {
    id: 'response-framing/large-download',
    rule: '16 MiB pass whole to a client that pauses',
    source: 'issue 2, Forwarding',
    timeoutMs: 25_000,
    run: async (world) => {
      const size = 16 * 1_048_576;
      const stage = await world.stage(
        always(
          Buffer.concat([
            bytes(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`),
            Buffer.alloc(size, 'z'),
          ]),
        ),
      );
      const client = await stage.world.client(4_096);
      client.send(stage.head('GET', '/big'));
      await until(() => client.total > 0, 'first bytes');
      client.socket.pause();
      await pause(200);
      client.socket.resume();
      await until(() => client.total >= size, 'all bytes', 15_000);
    },
  },
  {
    id: 'response-framing/crlf-before-second-answer',
    rule: 'an answer right behind another on the pool does not become the next client’s',
    source: 'CVE-2026-48931',
    run: async (world) => {
      const stage = await world.stage(always(`${answer(200, 'mine')}${answer(200, 'POISON')}`));
      same((await stage.ask('GET', '/1')).body.toString(), 'mine', 'first body');
      await stage.proveClean();
    },
  },
];

export const responseFraming: readonly Case[] = [
  ...matrix,
  ...bodiless,
  ...oldClients,
  ...oldAgents,
  ...single,
];
