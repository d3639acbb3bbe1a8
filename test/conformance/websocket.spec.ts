import { assert, expect } from 'vitest';
import { answer, SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import { utf8 } from '../kit/byte-stream.js';
import { pause, until } from '../kit/wait.js';
import { openTunnel } from './openings.js';
import { test } from './test.js';

const PROTOCOLS: [name: string, lines: string[], reply: string[]][] = [
  ['plain', [], []],
  ['subprotocol', ['Sec-WebSocket-Protocol: chat, superchat'], ['Sec-WebSocket-Protocol: superchat']],
  [
    'subprotocol-two-lines',
    ['Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: superchat'],
    ['Sec-WebSocket-Protocol: chat'],
  ],
  [
    'extensions',
    ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'],
    ['Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover'],
  ],
  [
    'origin-and-cookies',
    ['Origin: https://app.test', 'Cookie: a=1; b=2', 'User-Agent: x'],
    ['Set-Cookie: c=3; Path=/', 'Set-Cookie: d=4'],
  ],
  ['odd-case', ['sec-websocket-EXTENSIONS: x'], ['SEC-websocket-Accept2: y']],
  [
    'many',
    Array.from({ length: 60 }, (_, i) => `X-H${i}: ${i}`),
    Array.from({ length: 60 }, (_, i) => `X-R${i}: ${i}`),
  ],
];

for (const [name, lines, reply] of PROTOCOLS)
  test(`websocket/handshake-${name} — the handshake’s own headers pass both ways, untouched [RFC 6455 4]`, async (world) => {
    const stage = await world.stage((exchange) => {
      exchange.tunnel(
        SWITCH_TO_WEBSOCKET.replace('\r\n\r\n', `\r\n${reply.map((line) => `${line}\r\n`).join('')}\r\n`),
      );
    });
    const { answer: got } = await stage.send(stage.upgrade('/chat?x=%20', lines));
    const seen = await stage.agent.request();
    expect(
      [seen.target, seen.values('sec-websocket-key'), seen.values('sec-websocket-version')],
      'handshake upstream',
    ).toEqual([`${stage.prefix}/chat?x=%20`, ['dGhlIHNhbXBsZSBub25jZQ=='], ['13']]);
    expect(
      [seen.values('upgrade'), seen.values('connection').join().toLowerCase().includes('upgrade')],
      'Upgrade upstream',
    ).toEqual([['websocket'], true]);
    for (const line of lines) assert(seen.head.raw.includes(`${line}\r\n`), `${line} upstream`);
    for (const line of reply) assert(got.raw.includes(`${line}\r\n`), `${line} towards the client`);
    expect(
      [got.all('sec-websocket-accept'), got.all('upgrade').map((v) => v.toLowerCase())],
      'answer',
    ).toEqual([['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='], ['websocket']]);
    assert(
      got.all('connection').join().toLowerCase().includes('upgrade'),
      'Connection: Upgrade towards the client',
    );
  });

const VARIED: [name: string, change: (head: string) => string][] = [
  ['connection-list', (h) => h.replace('Connection: Upgrade', 'Connection: keep-alive, Upgrade')],
  ['connection-lower', (h) => h.replace('Connection: Upgrade', 'connection: upgrade')],
  [
    'connection-two-lines',
    (h) => h.replace('Connection: Upgrade', 'Connection: keep-alive\r\nConnection: Upgrade'),
  ],
  ['upgrade-case', (h) => h.replace('Upgrade: websocket', 'UPGRADE: WebSocket')],
  [
    'upgrade-first',
    (h) =>
      h.replace('Connection: Upgrade\r\nUpgrade: websocket', 'Upgrade: websocket\r\nConnection: Upgrade'),
  ],
  ['content-length-0', (h) => h.replace('Connection: Upgrade', 'Content-Length: 0\r\nConnection: Upgrade')],
];

for (const [name, change] of VARIED)
  test(`websocket/accepts-${name} — the usual spellings of a handshake open a tunnel [RFC 6455 4.2.1]`, async (world) => {
    const stage = await world.stage();
    const { client, answer: got } = await stage.send(change(stage.upgrade('/ws')));
    expect(got.status, 'status').toEqual(101);
    client.send('ping');
    expect((await client.input.take(4)).toString(), 'echo').toEqual('ping');
  });

for (const status of [200, 302, 400, 401, 403, 404, 426, 500, 503])
  for (const framing of ['length', 'chunked', 'close'] as const)
    test(`websocket/refused-${status}-${framing} — the sandbox’s refusal of an upgrade reaches the client whole, and the connection ends [http-party/node-http-proxy#624; http-proxy-3#26]`, async (world) => {
      const wire = {
        length: 'Content-Length: 4\r\n\r\nnope',
        chunked: 'Transfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n',
        close: '\r\nnope',
      }[framing];
      const stage = await world.stage((exchange) => {
        exchange.send(`HTTP/1.1 ${status} No\r\nX-Why: a\r\nX-Why: b\r\n${wire}`);
        if (framing === 'close') exchange.connection.end();
      });
      const { client, answer: got } = await stage.send(stage.upgrade('/ws'));
      expect([got.status, got.body, got.all('x-why'), got.complete], 'answer').toEqual([
        status,
        'nope',
        ['a', 'b'],
        true,
      ]);
      await client.closed();
    });

test('websocket/bytes-with-the-handshake — bytes that come with the handshake reach the sandbox after the 101, not before [http-party/node-http-proxy#473]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    await world.roundTrip();
    expect(exchange.connection.transcript.includes('EARLY'), 'bytes before the 101').toEqual(false);
    exchange.tunnel(SWITCH_TO_WEBSOCKET);
  });
  const client = await stage.client();
  client.send(`${stage.upgrade('/ws')}EARLY`);
  expect((await client.answer()).status, 'status').toEqual(101);
  client.send('LATER');
  await until(
    () => stage.agent.connections[0]?.transcript.endsWith('EARLYLATER') ?? false,
    'the bytes in order',
  );
});

test('websocket/bytes-with-the-101 — bytes that come with the 101 reach the client [http-party/node-http-proxy#473]', async (world) => {
  for (const early of ['x', '\x81\x05hello', 'y'.repeat(100_000)]) {
    const { client } = await openTunnel(
      world,
      (exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET + early),
    );
    expect((await client.input.take(early.length)).toString('latin1'), 'first bytes').toEqual(early);
  }
});

test('websocket/101-in-pieces — a 101 that comes byte by byte opens the tunnel [RFC 9112 2.2]', async (world) => {
  const { client } = await openTunnel(world, async (exchange) => {
    exchange.tunnel();
    for (const byte of `${SWITCH_TO_WEBSOCKET}hi`) {
      exchange.send(byte);
      await pause(1);
    }
  });
  expect((await client.input.take(2)).toString(), 'first bytes').toEqual('hi');
});

test('websocket/all-bytes-both-ways — all 256 byte values pass both ways, in any cut [RFC 6455 1.5]', async (world) => {
  const stage = await world.stage();
  const { client } = await stage.send(stage.upgrade('/ws'));
  const all = Buffer.from(Array.from({ length: 1_024 }, (_, i) => i % 256));
  for (let at = 0; at < all.length; at += 97) client.send(all.subarray(at, at + 97));
  assert((await client.input.take(all.length)).equals(all), 'echo differs');
});

for (const [i, protocol] of ['raw', 'tcp', 'foo/2', 'websocket, foo', utf8('custom')].entries())
  test(`websocket/other-protocol-${i} — an upgrade to "${protocol}" is a tunnel like any other [RFC 9110 7.8]`, async (world) => {
    const stage = await world.stage((exchange) => {
      exchange.tunnel(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nhello`,
      );
    });
    const { client, answer: got } = await stage.send(
      stage.head('GET', '/t', ['Connection: Upgrade', `Upgrade: ${protocol}`]),
    );
    expect([got.status, got.all('upgrade')], 'answer').toEqual([101, [protocol]]);
    expect((await stage.agent.request()).values('upgrade'), 'Upgrade upstream').toEqual([protocol]);
    expect((await client.input.take(5)).toString(), 'tunnel').toEqual('hello');
  });

test('websocket/post-upgrade — an upgrade by another method without a body is a tunnel too [RFC 9110 7.8]', async (world) => {
  const stage = await world.stage();
  const { client, answer: got } = await stage.send(stage.upgrade('/t').replace('GET', 'POST'), 'POST');
  expect([got.status, (await stage.agent.request()).method], 'status, and method upstream').toEqual([
    101,
    'POST',
  ]);
  client.send('ping');
  expect((await client.input.take(4)).toString(), 'echo').toEqual('ping');
});

test('websocket/upgrade-without-connection — Upgrade that Connection does not name asks for nothing [RFC 9110 7.8]', async (world) => {
  const stage = await world.stage(async (exchange) => {
    await exchange.body();
    exchange.send(answer(200, 'plain'));
  });
  const got = await stage.ask('GET', '/t', ['Upgrade: websocket']);
  expect(
    [got.status, (await stage.agent.request()).values('upgrade')],
    'answer and Upgrade upstream',
  ).toEqual([200, []]);
});

test('websocket/connection-upgrade-without-upgrade — Connection: Upgrade without an Upgrade field is a plain request [RFC 9110 7.8]', async (world) => {
  const stage = await world.stage();
  expect((await stage.ask('GET', '/t', ['Connection: Upgrade'])).status, 'status').toEqual(200);
});

test('websocket/http10 — an HTTP/1.0 client is not upgraded: its request is a plain one [RFC 9110 7.8]', async (world) => {
  const stage = await world.stage();
  const { answer: got } = await stage.send(stage.upgrade('/t').replace('HTTP/1.1', 'HTTP/1.0'));
  expect([got.status, (await stage.agent.request()).isUpgrade], 'status, and an upgrade upstream').toEqual([
    200,
    false,
  ]);
});
