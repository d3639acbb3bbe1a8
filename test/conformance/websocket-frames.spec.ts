import { assert } from 'vitest';
import { SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';

/** One WebSocket frame, masked (a client's) or not (a server's). `first` is FIN, RSV and opcode. */
export function frame(first: number, payload: Buffer | string, masked: boolean): Buffer {
  const data = Buffer.from(payload);
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  const length =
    data.length < 126
      ? [data.length]
      : data.length < 65_536
        ? [126, data.length >> 8, data.length & 255]
        : [
            127,
            0,
            0,
            0,
            0,
            (data.length >>> 24) & 255,
            (data.length >> 16) & 255,
            (data.length >> 8) & 255,
            data.length & 255,
          ];
  const head = Buffer.from([first, (length[0] as number) | (masked ? 0x80 : 0), ...length.slice(1)]);
  if (!masked) return Buffer.concat([head, data]);
  return Buffer.concat([head, mask, data.map((byte, i) => byte ^ (mask[i % 4] as number))]);
}

const [TEXT, BINARY, CONTINUED, CLOSE, PING, PONG] = [0x81, 0x82, 0x80, 0x88, 0x89, 0x8a];
const closing = (code: number, reason = ''): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);

/** The categories of the Autobahn suite (crossbario/autobahn-testsuite) that a byte proxy can affect. */
const FRAMES: [id: string, frames: [first: number, payload: Buffer | string][]][] = [
  ...([0, 125, 126, 127, 128, 65_535, 65_536] as const).flatMap((size): [string, [number, string][]][] => [
    [`1.1 text-${size}`, [[TEXT, '*'.repeat(size)]]],
    [`1.2 binary-${size}`, [[BINARY, '\xfe'.repeat(size >> 1)]]],
  ]),
  ['2.1 ping-empty', [[PING, '']]],
  ['2.2 ping-text', [[PING, 'Hello, world!']]],
  ['2.3 ping-binary', [[PING, Buffer.from([0, 255, 254, 253, 252, 251, 0, 255])]]],
  ['2.4 ping-125', [[PING, Buffer.alloc(125, 254)]]],
  ['2.5 ping-126', [[PING, Buffer.alloc(126, 254)]]],
  ['2.7 pong-unasked', [[PONG, 'unsolicited']]],
  ['2.10 ten-pings', Array.from({ length: 10 }, (_, i): [number, string] => [PING, `p${i}`])],
  ...([0x91, 0xa1, 0xb1, 0xc1, 0xd1, 0xe1, 0xf1] as const).map((first): [string, [number, string][]] => [
    `3 rsv-${first.toString(16)}`,
    [[first, 'Hello']],
  ]),
  ...([0x83, 0x84, 0x85, 0x86, 0x87, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f] as const).map(
    (first): [string, [number, string][]] => [
      `4 opcode-${first.toString(16)}`,
      [
        [first, 'x'],
        [PING, ''],
      ],
    ],
  ),
  [
    '5.1 fragmented-ping',
    [
      [0x09, 'frag'],
      [CONTINUED, 'ment'],
    ],
  ],
  [
    '5.3 fragmented-text',
    [
      [0x01, 'frag'],
      [CONTINUED, 'ment'],
    ],
  ],
  [
    '5.6 ping-between-fragments',
    [
      [0x01, 'frag'],
      [PING, 'ping'],
      [CONTINUED, 'ment'],
    ],
  ],
  [
    '5.9 continuation-of-nothing',
    [
      [CONTINUED, 'none'],
      [TEXT, 'hello'],
    ],
  ],
  [
    '5.15 fragments-mixed',
    [
      [0x01, 'a'],
      [0x00, 'b'],
      [CONTINUED, 'c'],
      [0x00, 'd'],
      [TEXT, 'e'],
    ],
  ],
  [
    '5.19 twelve-fragments',
    [
      [0x01, '1'],
      ...Array.from({ length: 10 }, (_, i): [number, string] => [0x00, String(i)]),
      [CONTINUED, 'end'],
    ],
  ],
  [
    '6.1 utf8-empty-fragments',
    [
      [0x01, ''],
      [0x00, ''],
      [CONTINUED, ''],
    ],
  ],
  ['6.2 utf8', [[TEXT, 'Hello-µ@ßöäüàá-UTF-8!!']]],
  ['6.3 utf8-invalid', [[TEXT, Buffer.from('cebae1bdb9cf83cebcceb5eda080656469746564', 'hex')]]],
  [
    '6.6 utf8-cut-in-character',
    [
      [0x01, Buffer.from([0xce])],
      [CONTINUED, Buffer.from([0xba])],
    ],
  ],
  ['6.12 utf8-overlong', [[TEXT, Buffer.from('c0af', 'hex')]]],
  ['6.20 utf8-surrogate', [[TEXT, Buffer.from('eda080', 'hex')]]],
  ['7.1 close-empty', [[CLOSE, '']]],
  ['7.3 close-one-byte', [[CLOSE, 'a']]],
  ...(
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999] as const
  ).map((code): [string, [number, Buffer][]] => [`7.7 close-${code}`, [[CLOSE, closing(code, 'why')]]]),
  ...([0, 999, 1004, 1005, 1006, 1014, 1015, 2000, 2999, 5000, 65_535] as const).map(
    (code): [string, [number, Buffer][]] => [`7.9 close-invalid-${code}`, [[CLOSE, closing(code)]]],
  ),
  ['7.3.4 close-reason-123', [[CLOSE, closing(1000, '*'.repeat(123))]]],
  ['7.3.6 close-reason-124', [[CLOSE, closing(1000, '*'.repeat(124))]]],
  [
    '7.1.4 text-after-close',
    [
      [CLOSE, closing(1000)],
      [TEXT, 'late'],
    ],
  ],
  ...([65_536, 262_144, 1_048_576, 4_194_304] as const).flatMap((size): [string, [number, Buffer][]][] => [
    [`9.1 text-${size}`, [[TEXT, Buffer.alloc(size, '*')]]],
    [`9.2 binary-${size}`, [[BINARY, Buffer.alloc(size, 0xfe)]]],
  ]),
  ...([64, 1_024, 16_384] as const).map((piece): [string, [number, Buffer][]] => [
    `9.3 fragments-of-${piece}`,
    Array.from({ length: 64 }, (_, i): [number, Buffer] => [
      i === 0 ? 0x01 : i === 63 ? CONTINUED : 0x00,
      Buffer.alloc(piece, '*'),
    ]),
  ]),
  ['9.7 thousand-small', Array.from({ length: 1_000 }, (_, i): [number, string] => [TEXT, `m${i}`])],
  [
    '12 deflate-bits',
    [
      [0xc1, Buffer.from('f248cdc9c90700', 'hex')],
      [0x41, Buffer.from('f248', 'hex')],
      [CONTINUED, Buffer.from('cdc9c90700', 'hex')],
    ],
  ],
];

const CUTS: [name: string, size: number][] = [
  ['whole', Infinity],
  ['octets', 1],
  ['997', 997],
];

/** Sends `all` in pieces of `size` bytes. */
async function write(send: (piece: Buffer) => boolean, all: Buffer, size: number): Promise<void> {
  for (let at = 0; at < all.length; at += Math.min(size, all.length)) {
    send(all.subarray(at, at + Math.min(size, all.length)));
    if (size === 1) await pause(0);
  }
}

for (const [id, frames] of FRAMES) {
  const up = Buffer.concat(frames.map(([first, payload]) => frame(first, payload, true)));

  const down = Buffer.concat(frames.map(([first, payload]) => frame(first, payload, false)));
  for (const [name, size] of CUTS.filter(([name]) => name !== 'octets' || up.length < 400))
    test(`websocket-frames/${id} ${name} — frames reach the other side byte for byte, both ways at once, valid or not [RFC 6455; Autobahn ${id.split(' ')[0]}]`, async (world) => {
      const stage = await world.stage((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET));
      const { client } = await stage.send(stage.upgrade('/ws'));
      const connection = stage.agent.connections[0];
      assert(connection, 'no connection');
      const start = connection.total;
      await Promise.all([
        write((piece) => client.send(piece), up, size),
        write((piece) => connection.send(piece), down, size),
      ]);
      const got = await client.input.take(down.length);
      assert(got.equals(down), 'bytes towards the client differ');
      await until(() => connection.total - start >= up.length, 'all bytes upstream');
      assert(Buffer.concat(connection.pieces).subarray(start).equals(up), 'bytes towards the sandbox differ');
    });
}
