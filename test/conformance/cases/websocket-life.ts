import { answer } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same } from '../harness/check.js';
import { checkOwn } from '../harness/world.js';

/** Tunnels over time, and odd ways to open one. */
export const websocketLife: readonly Case[] = [
  ...(
    [
      ['no-upgrade-field', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n'],
      ['no-connection-field', 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n'],
      ['other-protocol', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'],
      ['bare', 'HTTP/1.1 101\r\n\r\n'],
      [
        'with-length',
        'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello',
      ],
    ] as const
  ).map(([name, wire]): Case => ({
    id: `websocket/odd-101-${name}`,
    rule: 'an incomplete 101 is a tunnel or a 502, never a hang or an exception',
    source: 'traps, Node core 3',
    run: async (world) => {
      const stage = await world.stage((exchange) => void exchange.tunnel(wire));
      const { client, answer: got } = await stage.send(stage.upgrade('/t'));
      check((name === 'other-protocol' ? [502] : [101, 502]).includes(got.status), `status ${got.status}`);
      if (got.status === 502) checkOwn(got, 502, 'upstream_invalid_response');
      client.destroy();
      await stage.released();
    },
  })),
  {
    id: 'websocket/pool-untouched',
    rule: 'a connection that was a tunnel serves no later request',
    source: 'CVE-2026-58055',
    run: async (world) => {
      const stage = await world.stage();
      const { client } = await stage.send(stage.upgrade('/ws'));
      client.send('x');
      await client.input.take(1);
      client.end();
      await client.closed();
      await stage.proveClean();
      same(stage.agent.connections.length, 2, 'connections upstream');
    },
  },
  {
    id: 'websocket/200-tunnels',
    rule: 'two hundred tunnels at once echo each its own bytes',
    source: 'issue 2, Real input',
    timeoutMs: 30_000,
    run: async (world) => {
      const stage = await world.stage();
      const clients = await Promise.all(Array.from({ length: 200 }, () => world.client()));
      await Promise.all(
        clients.map(async (client, i) => {
          client.send(stage.upgrade(`/ws${i}`));
          same((await client.answer('GET', 15_000)).status, 101, 'status');
          client.send(`own-${i}-bytes`);
          same((await client.input.take(`own-${i}-bytes`.length)).toString(), `own-${i}-bytes`, 'echo');
        }),
      );
    },
  },
  {
    id: 'websocket/silence-75s',
    rule: 'a tunnel that is silent for 75 seconds stays open',
    source: 'issue 3, WebSocket',
    timeoutMs: 100_000,
    slow: true,
    run: async (world) => {
      const stage = await world.stage();
      const { client } = await stage.send(stage.upgrade('/ws'));
      await pause(75_000);
      client.send('still there');
      same((await client.input.take(11)).toString(), 'still there', 'echo after the silence');
    },
  },
  {
    id: 'websocket/silent-answer-65s',
    rule: 'a request that is answered after 65 seconds of silence is answered',
    source: 'issue 2, clocks: first byte 300 s',
    timeoutMs: 90_000,
    slow: true,
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await pause(65_000);
        exchange.send(answer(200, 'late'));
      });
      const client = await stage.client();
      client.send(stage.head('GET', '/late'));
      same((await client.answer('GET', 80_000)).body.toString(), 'late', 'answer');
    },
  },
];
