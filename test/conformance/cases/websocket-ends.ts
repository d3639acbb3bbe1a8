import { SWITCH_TO_WEBSOCKET } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, same, until } from '../harness/check.js';
import { checkOwn } from '../harness/world.js';
import { openTunnel } from './websocket.js';

const ends: Case[] = [
  ...(['fin', 'rst'] as const).flatMap((how): Case[] => [
    {
      id: `websocket-ends/client-${how}`,
      rule: `the sandbox sees within 100 ms that the client left (${how})`,
      source: 'http-party/node-http-proxy#1510',
      run: async (world) => {
        const { stage, client } = await openTunnel(world);
        const connection = stage.agent.connections[0];
        const begun = performance.now();
        if (how === 'fin') client.destroy();
        else client.reset();
        await until(() => connection?.ending !== null, 'the end upstream', 2_000);
        check(
          (connection?.endedAt ?? 0) - begun < 400,
          `${Math.round((connection?.endedAt ?? 0) - begun)} ms`,
        );
      },
    },
    {
      id: `websocket-ends/sandbox-${how}`,
      rule: `the client sees that the sandbox ended the tunnel (${how})`,
      source: 'http-party/node-http-proxy#1468',
      run: async (world) => {
        const { stage, client } = await openTunnel(world);
        const connection = stage.agent.connections[0];
        if (how === 'fin') connection?.end('bye');
        else connection?.reset();
        await client.closed(2_000);
        if (how === 'fin') same(client.bytes.endsWith('bye'), true, 'last bytes');
        client.destroy();
        await stage.proveClean().catch(() => stage.released());
      },
    },
    {
      id: `websocket-ends/client-${how}-before-101`,
      rule: 'a client that leaves before the 101 ends the upstream request',
      source: 'http-party/node-http-proxy#1510; jupyterhub/configurable-http-proxy#434',
      run: async (world) => {
        const stage = await world.stage(() => new Promise(() => {}));
        const client = await stage.client();
        client.send(stage.upgrade('/ws'));
        await stage.agent.request();
        if (how === 'fin') client.destroy();
        else client.reset();
        await until(() => stage.agent.connections[0]?.ending !== null, 'the end upstream', 2_000);
      },
    },
    {
      id: `websocket-ends/sandbox-${how}-before-101`,
      rule: 'a sandbox that ends before the 101 is a 502',
      source: 'architecture 5',
      run: async (world) => {
        const stage = await world.stage((exchange) =>
          how === 'fin' ? exchange.connection.end() : exchange.connection.reset(),
        );
        checkOwn((await stage.send(stage.upgrade('/ws'))).answer, 502, 'upstream_unreachable');
      },
    },
    {
      id: `websocket-ends/sandbox-${how}-within-101`,
      rule: 'a sandbox that ends inside the 101’s head is a 502',
      source: 'architecture 5',
      run: async (world) => {
        const stage = await world.stage((exchange) => {
          exchange.send('HTTP/1.1 101 Switching Prot');
          setTimeout(() => (how === 'fin' ? exchange.connection.end() : exchange.connection.reset()), 20);
        });
        same((await stage.send(stage.upgrade('/ws'))).answer.status, 502, 'status');
      },
    },
    {
      id: `websocket-ends/client-${how}-while-flooded`,
      rule: 'a client that leaves in the middle of a flood ends it',
      source: 'http-party/node-http-proxy#1468',
      run: async (world) => {
        const { stage, client } = await openTunnel(world, (exchange) => {
          exchange.tunnel(SWITCH_TO_WEBSOCKET);
          const flood = (): void => {
            while (exchange.connection.socket.writable && exchange.connection.send(Buffer.alloc(65_536)));
          };
          exchange.connection.socket.on('drain', flood);
          flood();
        });
        await until(() => client.total > 500_000, 'the flood');
        if (how === 'fin') client.destroy();
        else client.reset();
        await stage.released(2_000);
      },
    },
    {
      id: `websocket-ends/sandbox-${how}-while-flooded`,
      rule: 'a sandbox that leaves in the middle of the client’s flood ends it',
      source: 'http-party/node-http-proxy#1468',
      run: async (world) => {
        const { stage, client } = await openTunnel(world);
        const flood = (): void => {
          while (client.socket.writable && client.send(Buffer.alloc(65_536)));
        };
        client.socket.on('drain', flood);
        flood();
        await until(() => (stage.agent.connections[0]?.total ?? 0) > 500_000, 'the flood');
        if (how === 'fin') stage.agent.connections[0]?.socket.destroy();
        else stage.agent.connections[0]?.reset();
        await client.closed(3_000);
      },
    },
  ]),
  {
    id: 'websocket-ends/client-half-close',
    rule: 'a client’s FIN reaches the sandbox, and what the sandbox still sends reaches the client',
    source: 'issue 3, WebSocket: half-close',
    run: async (world) => {
      const { stage, client } = await openTunnel(world);
      const connection = stage.agent.connections[0];
      client.send('last words');
      client.end();
      await until(() => connection?.ending === 'fin', 'FIN upstream', 2_000);
      check(connection && connection.bytes.endsWith('last words'), 'the last words');
      connection.send('an answer');
      same((await client.input.take(9)).toString(), 'an answer', 'bytes after the FIN');
      connection.end();
      same(await client.closed(2_000), 'fin', 'the end');
    },
  },
  {
    id: 'websocket-ends/sandbox-half-close',
    rule: 'a sandbox’s FIN reaches the client, and what the client still sends reaches the sandbox',
    source: 'issue 3, WebSocket: half-close; traps, Node core 12',
    run: async (world) => {
      const { stage, client } = await openTunnel(world);
      const connection = stage.agent.connections[0];
      connection?.end('last words');
      same(await client.closed(2_000), 'fin', 'FIN to the client');
      check(client.bytes.endsWith('last words'), 'the last words');
      client.send('an answer');
      await until(() => connection?.bytes.endsWith('an answer') ?? false, 'bytes after the FIN', 2_000);
      client.end();
      await stage.released(2_000);
    },
  },
  {
    id: 'websocket-ends/half-close-with-the-handshake',
    rule: 'a client that sends its bytes and its FIN with the handshake is heard to the end',
    source: 'issue 3, WebSocket: half-close',
    run: async (world) => {
      const stage = await world.stage(async (exchange) => {
        await pause(50);
        exchange.tunnel(`${SWITCH_TO_WEBSOCKET}reply`);
      });
      const client = await stage.client();
      client.send(`${stage.upgrade('/ws')}all I say`);
      client.end();
      const got = await client.answer('GET', 3_000).catch(() => null);
      // A FIN before the 101 may also be read as leaving (RFC 9112 9.6): then nothing may be left open.
      if (got?.status === 101)
        await until(() => stage.agent.connections[0]?.bytes.endsWith('all I say') ?? false, 'the bytes');
      stage.agent.connections[0]?.end();
      await stage.released(2_000);
    },
  },
  {
    id: 'websocket-ends/both-at-once',
    rule: 'both sides may leave in the same moment',
    source: 'http-party/node-http-proxy#1468',
    run: async (world) => {
      for (let i = 0; i < 10; i++) {
        const { stage, client } = await openTunnel(world);
        stage.agent.connections[0]?.reset();
        client.reset();
        await stage.released(2_000);
      }
    },
  },
  ...([1, 30, 60, 90, 120] as const).map((bytes): Case => ({
    id: `websocket-ends/client-reset-after-${bytes}-bytes-of-the-handshake`,
    rule: 'a client that resets within its handshake leaves nothing behind',
    source: 'http-party/node-http-proxy#1468',
    run: async (world) => {
      const stage = await world.stage();
      const client = await stage.client();
      client.send(stage.upgrade('/ws').slice(0, bytes));
      await pause(20);
      client.reset();
      await pause(30);
      same(stage.agent.received.length, 0, 'requests upstream');
    },
  })),
  {
    id: 'websocket-ends/sandbox-paused-while-open',
    rule: 'bytes behind a reader that pauses for long arrive whole',
    source: 'issue 3, WebSocket: backpressure',
    run: async (world) => {
      const { stage, client } = await openTunnel(world);
      const connection = stage.agent.connections[0];
      const before = connection?.total ?? 0;
      connection?.socket.pause();
      client.send(Buffer.alloc(3_000_000, 'm'));
      await pause(200);
      connection?.socket.resume();
      await until(() => connection?.total === before + 3_000_000, 'all bytes', 8_000);
      check(/m{3000000}$/.test(connection?.bytes ?? ''), 'bytes differ');
    },
  },
];

export const websocketEnds: readonly Case[] = ends;
