import { answer, type Script, SWITCH_TO_WEBSOCKET } from '../harness/agent.js';
import { pause, utf8 } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import type { Client } from '../harness/client.js';
import { valuesOf } from '../harness/response-reader.js';
import { type Stage, type World } from '../harness/world.js';

export interface Tunnel {
  readonly stage: Stage;
  readonly client: Client;
}

/** A tunnel that is open at both ends, with nothing sent yet. */
export async function openTunnel(world: World, script?: Script): Promise<Tunnel> {
  const stage = await world.stage(script ?? ((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET)));
  const { client, answer: got } = await stage.send(stage.upgrade('/ws'));
  same(got.status, 101, 'status');
  return { stage, client };
}

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
const handshakes = PROTOCOLS.map(([name, lines, reply]): Case => ({
  id: `websocket/handshake-${name}`,
  rule: 'the handshake’s own headers pass both ways, untouched',
  source: 'RFC 6455 4',
  run: async (world) => {
    const stage = await world.stage((exchange) => {
      exchange.tunnel(
        SWITCH_TO_WEBSOCKET.replace('\r\n\r\n', `\r\n${reply.map((line) => `${line}\r\n`).join('')}\r\n`),
      );
    });
    const { answer: got } = await stage.send(stage.upgrade('/chat?x=%20', lines));
    const seen = await stage.agent.request();
    same(
      [seen.target, seen.values('sec-websocket-key'), seen.values('sec-websocket-version')],
      [`${stage.prefix}/chat?x=%20`, ['dGhlIHNhbXBsZSBub25jZQ=='], ['13']],
      'handshake upstream',
    );
    same(
      [seen.values('upgrade'), seen.values('connection').join().toLowerCase().includes('upgrade')],
      [['websocket'], true],
      'Upgrade upstream',
    );
    for (const line of lines) check(seen.head.raw.includes(`${line}\r\n`), `${line} upstream`);
    for (const line of reply) check(got.raw.includes(`${line}\r\n`), `${line} towards the client`);
    same(
      [
        valuesOf(got.fields, 'sec-websocket-accept'),
        valuesOf(got.fields, 'upgrade').map((v) => v.toLowerCase()),
      ],
      [['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='], ['websocket']],
      'answer',
    );
    check(
      valuesOf(got.fields, 'connection').join().toLowerCase().includes('upgrade'),
      'Connection: Upgrade towards the client',
    );
  },
}));

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
const varied = VARIED.map(([name, change]): Case => ({
  id: `websocket/accepts-${name}`,
  rule: 'the usual spellings of a handshake open a tunnel',
  source: 'RFC 6455 4.2.1',
  run: async (world) => {
    const stage = await world.stage();
    const { client, answer: got } = await stage.send(change(stage.upgrade('/ws')));
    if (name === 'content-length-0' && got.status === 400) return;
    same(got.status, 101, 'status');
    client.send('ping');
    same((await client.input.take(4)).toString(), 'ping', 'echo');
  },
}));

const refused = [200, 302, 400, 401, 403, 404, 426, 500, 503].flatMap((status) =>
  (['length', 'chunked', 'close'] as const).map((framing): Case => ({
    id: `websocket/refused-${status}-${framing}`,
    rule: 'the sandbox’s refusal of an upgrade reaches the client whole, and the connection ends',
    source: 'http-party/node-http-proxy#624; http-proxy-3#26',
    run: async (world) => {
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
      same(
        [got.status, got.body.toString(), valuesOf(got.fields, 'x-why'), got.complete],
        [status, 'nope', ['a', 'b'], true],
        'answer',
      );
      await client.closed();
    },
  })),
);

const single: Case[] = [
  {
    id: 'websocket/bytes-with-the-handshake',
    rule: 'bytes that come with the handshake reach the sandbox after the 101, not before',
    source: 'http-party/node-http-proxy#473',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await pause(80);
        same(exchange.connection.bytes.includes('EARLY'), false, 'bytes before the 101');
        exchange.tunnel(SWITCH_TO_WEBSOCKET);
      });
      const client = await stage.client();
      client.send(`${stage.upgrade('/ws')}EARLY`);
      same((await client.answer()).status, 101, 'status');
      client.send('LATER');
      await until(
        () => stage.agent.connections[0]?.bytes.endsWith('EARLYLATER') ?? false,
        'the bytes in order',
      );
    },
  },
  {
    id: 'websocket/bytes-with-the-101',
    rule: 'bytes that come with the 101 reach the client',
    source: 'http-party/node-http-proxy#473',
    run: async (world) => {
      for (const early of ['x', '\x81\x05hello', 'y'.repeat(100_000)]) {
        const { client } = await openTunnel(
          world,
          (exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET + early),
        );
        same((await client.input.take(early.length)).toString('latin1'), early, 'first bytes');
      }
    },
  },
  {
    id: 'websocket/101-in-pieces',
    rule: 'a 101 that comes byte by byte opens the tunnel',
    source: 'RFC 9112 2.2',
    run: async (world) => {
      const { client } = await openTunnel(world, async (exchange) => {
        exchange.tunnel();
        for (const byte of `${SWITCH_TO_WEBSOCKET}hi`) {
          exchange.send(byte);
          await pause(1);
        }
      });
      same((await client.input.take(2)).toString(), 'hi', 'first bytes');
    },
  },
  {
    id: 'websocket/all-bytes-both-ways',
    rule: 'all 256 byte values pass both ways, in any cut',
    source: 'issue 3, WebSocket',
    run: async (world) => {
      const stage = await world.stage();
      const { client } = await stage.send(stage.upgrade('/ws'));
      const all = Buffer.from(Array.from({ length: 1_024 }, (_, i) => i % 256));
      for (let at = 0; at < all.length; at += 97) client.send(all.subarray(at, at + 97));
      check((await client.input.take(all.length)).equals(all), 'echo differs');
    },
  },
  ...['raw', 'tcp', 'foo/2', 'websocket, foo', utf8('custom')].map((protocol, i): Case => ({
    id: `websocket/other-protocol-${i}`,
    rule: `an upgrade to "${protocol}" is a tunnel like any other`,
    source: 'RFC 9110 7.8',
    run: async (world) => {
      const stage = await world.stage((exchange) => {
        exchange.tunnel(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nhello`,
        );
      });
      const { client, answer: got } = await stage.send(
        stage.head('GET', '/t', ['Connection: Upgrade', `Upgrade: ${protocol}`]),
      );
      same([got.status, valuesOf(got.fields, 'upgrade')], [101, [protocol]], 'answer');
      same((await stage.agent.request()).values('upgrade'), [protocol], 'Upgrade upstream');
      same((await client.input.take(5)).toString(), 'hello', 'tunnel');
    },
  })),
  {
    id: 'websocket/post-upgrade',
    rule: 'an upgrade by another method without a body is a tunnel too, or refused',
    source: 'RFC 9110 7.8',
    run: async (world) => {
      const stage = await world.stage();
      const { answer: got } = await stage.send(stage.upgrade('/t').replace('GET', 'POST'), 'POST');
      check([101, 400].includes(got.status), `status ${got.status}`);
    },
  },
  {
    id: 'websocket/upgrade-without-connection',
    rule: 'Upgrade that Connection does not name asks for nothing',
    source: 'RFC 9110 7.8',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await exchange.body();
        exchange.send(answer(200, 'plain'));
      });
      const got = await stage.ask('GET', '/t', ['Upgrade: websocket']);
      same(
        [got.status, (await stage.agent.request()).values('upgrade')],
        [200, []],
        'answer and Upgrade upstream',
      );
    },
  },
  {
    id: 'websocket/connection-upgrade-without-upgrade',
    rule: 'Connection: Upgrade without an Upgrade field is a plain request',
    source: 'RFC 9110 7.8',
    run: async (world) => {
      const stage = await world.stage();
      same((await stage.ask('GET', '/t', ['Connection: Upgrade'])).status, 200, 'status');
    },
  },
  {
    id: 'websocket/http10',
    rule: 'an HTTP/1.0 client is not upgraded',
    source: 'RFC 9110 7.8',
    run: async (world) => {
      const stage = await world.stage();
      const { answer: got } = await stage.send(stage.upgrade('/t').replace('HTTP/1.1', 'HTTP/1.0'));
      check(got.status !== 101, `status ${got.status}`);
    },
  },
];

export const websocket: readonly Case[] = [...handshakes, ...varied, ...refused, ...single];
