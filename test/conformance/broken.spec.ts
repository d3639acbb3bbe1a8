import { assert, expect } from 'vitest';
import { answer, always, type Received, type Script } from '../kit/agent.js';
import type { RawConnection } from '../kit/raw-connection.js';
import { pause, until } from '../kit/wait.js';
import { alone, test } from './test.js';
import type { World } from './world.js';

const CUT: [name: string, wire: string][] = [
  ['length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['length-nothing', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
  ['chunked-in-chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'],
  ['chunked-in-size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n6'],
  ['chunked-before-last-crlf', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n'],
  [
    'chunked-in-trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX-T: 1\r\n',
  ],
  ['chunked-nothing', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['http10-length', 'HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
];
const BY_CLOSE: [string, string] = ['by-close', 'HTTP/1.1 200 OK\r\n\r\nhalf'];

for (const [name, wire] of [...CUT, BY_CLOSE] as [string, string][])
  for (const how of ['fin', 'rst'] as const)
    for (const version of ['1.1', '1.0'] as const)
      test(`broken/${name}-${how}-to-http${version} — ${
        name === 'by-close' && how === 'fin'
          ? 'an answer by close that ends is complete'
          : 'an answer that ends early is seen as broken, never as a clean end'
      } [RFC 9112 8; caddy#7845]`, async (world) => {
        const stage = await world.stage(async (exchange) => {
          await exchange.body();
          exchange.send(wire);
          // A reset takes along what has not been read: the proxy has read it all when the client has its part.
          const last = name.includes('nothing') ? '\r\n\r\n' : 'half';
          await until(() => client.transcript.includes(last), 'what the client gets of it');
          if (how === 'fin') exchange.connection.end();
          else exchange.connection.reset();
        });
        const client = await stage.client();
        client.send(stage.bare(`GET /b HTTP/${version}`, [`X-API-Key: ${stage.key}`]));
        const got = await client.answer();
        expect(got.status, 'status').toEqual(200);
        expect(got.complete, 'complete').toEqual(name === 'by-close' && how === 'fin');
        if (!name.includes('nothing') && got.complete) expect(got.body, 'body').toEqual('half');
        if (got.framing === 'close' && !got.complete)
          expect(got.ending, 'the end of an answer by close').toEqual('rst');
        stage.agent.script = always(answer(200, 'ok'));
        await stage.proveClean();
      });

/** Stages of a request at which a client may leave. */
const STAGES: [name: string, script: Script, lines: string[], body: string][] = [
  ['awaiting-head', () => new Promise(() => {}), [], ''],
  ['awaiting-head-post', () => new Promise(() => {}), ['Content-Length: 3'], 'abc'],
  ['uploading-length', () => new Promise(() => {}), ['Content-Length: 100'], 'abc'],
  ['uploading-chunked', () => new Promise(() => {}), ['Transfer-Encoding: chunked'], '3\r\nabc\r\n'],
  ['expecting', () => new Promise(() => {}), ['Expect: 100-continue', 'Content-Length: 3'], ''],
  ['after-head', (x) => void x.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), [], ''],
  ['after-early-hints', (x) => void x.send('HTTP/1.1 103 E\r\nLink: </a>\r\n\r\n'), [], ''],
  [
    'streaming',
    (x) => void x.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n'),
    [],
    '',
  ],
  ['streaming-length', (x) => void x.send('HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\ndata'), [], ''],
  ['streaming-by-close', (x) => void x.send('HTTP/1.1 200 OK\r\n\r\ndata'), [], ''],
  [
    'streaming-while-uploading',
    (x) => void x.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n'),
    ['Content-Length: 100'],
    'abc',
  ],
];

/** A request that has come as far as the stage says. */
async function reach(
  world: World,
  [name, script, lines, body]: (typeof STAGES)[number],
): Promise<{ client: RawConnection; received: Received }> {
  const stage = await world.stage(script);
  const client = await stage.client();
  client.send(stage.head(lines.length > 0 ? 'POST' : 'GET', '/l', lines) + body);
  const received = await stage.agent.request();
  if (name.startsWith('streaming')) await until(() => client.transcript.includes('data'), 'the first data');
  else if (name.startsWith('after')) await until(() => client.total > 0, 'the head');
  if (body !== '') await until(() => received.seen === 3, 'the first bytes up');
  return { client, received };
}

// A client that ends its side may still wait for the answer: without a byte of it for 5 s it is taken for gone.
for (const at of STAGES)
  for (const [how, within, limitMs] of [
    ['rst', '100 ms', 2_000],
    ['fin', '5 s', 7_000],
  ] as const)
    test(`broken/client-leaves-${at[0]}-${how} — a client that leaves ends the upstream request within ${within} [http-party/node-http-proxy#1586]`, async (world) => {
      const { client, received } = await reach(world, at);
      const { connection } = received;
      const begun = performance.now();
      if (how === 'fin') client.close();
      else client.reset();
      await connection.closed();
      // The rest is room for a loaded machine. `broken/leaving-is-fast` measures alone.
      expect(connection.endedAt - begun, 'ms').toBeLessThan(limitMs);
      if (at[0].startsWith('uploading'))
        assert(!(await received.finished)?.complete, 'the upload looks complete upstream');
    });

alone(
  'broken/leaving-is-fast — measured alone: the upstream request ends within 100 ms of the client’s reset, at every stage [http-party/node-http-proxy#1586]',
  async (world) => {
    for (const at of STAGES) {
      const { client, received } = await reach(world, at);
      const begun = performance.now();
      client.reset();
      await received.connection.closed();
      expect(received.connection.endedAt - begun, `${at[0]}, ms`).toBeLessThan(100);
    }
  },
);

for (const [name, lines, body] of [
  ['length', ['Content-Length: 100'], 'abc'],
  ['length-nothing', ['Content-Length: 100'], ''],
  ['chunked', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n'],
  ['chunked-in-chunk', ['Transfer-Encoding: chunked'], '30\r\nabc'],
  ['chunked-before-last-crlf', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n0\r\n'],
] as [string, string[], string][])
  for (const how of ['half-close', 'malformed'] as const)
    test(`broken/upload-cut-${name}-${how} — an upload that breaks off never looks complete upstream [RFC 9112 8]`, async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(stage.head('POST', '/u', lines) + body);
      const received = await stage.agent.request();
      await until(() => received.seen === (body === '' ? 0 : 3), 'the first bytes up');
      if (how === 'half-close') client.end();
      else if (name === 'chunked-in-chunk') client.send(`${'x'.repeat(45)}no crlf`);
      else if (name.startsWith('chunked'))
        client.send(name.includes('crlf') ? 'bad trailer\r\n\r\n' : 'zz\r\n');
      else client.reset();
      await received.connection.closed();
      assert(!(await received.finished)?.complete, 'the upload looks complete upstream');
    });

test('broken/half-close-after-request — a client that closes its sending side gets its answer, and nothing is left upstream [RFC 9112 9.6]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    await exchange.body();
    await pause(50);
    exchange.send(answer(200, 'ok', ['Connection: close']));
  });
  const client = await stage.client();
  client.send(stage.head('POST', '/h', ['Content-Length: 3']) + 'abc');
  client.end();
  const got = await client.answer('POST');
  expect([got.status, got.body, got.complete], 'answer').toEqual([200, 'ok', true]);
  expect(await client.closed(), 'end of the connection').toEqual('fin');
  await stage.released();
});

test('broken/early-answer-then-reset — a sandbox that answers an upload early and closes: the client gets the answer [http-party/node-http-proxy#1468]', async (world) => {
  const stage = await world.stage((exchange) => {
    exchange.connection.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig');
  });
  const client = await stage.client();
  client.send(`${stage.head('POST', '/u', ['Content-Length: 5000000'])}${'x'.repeat(50_000)}`);
  const got = await client.answer('POST');
  expect([got.status, got.body], 'answer').toEqual([413, 'big']);
});

test('broken/120-aborts-leave-nothing — after 120 aborted downloads no upstream connection is left [http-party/node-http-proxy#1586]', async (world) => {
  const stage = await world.stage(
    (exchange) => void exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n'),
  );
  await Promise.all(
    Array.from({ length: 120 }, async (_, i) => {
      const client = await world.client();
      client.send(stage.head('GET', '/a'));
      await until(() => client.transcript.includes('data'), 'data');
      if (i % 2) client.close();
      else client.reset();
    }),
  );
  await stage.released();
});
