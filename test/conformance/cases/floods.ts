import { type Script, SWITCH_TO_WEBSOCKET } from '../harness/agent.js';
import { pause } from '../harness/byte-stream.js';
import type { Case } from '../harness/case.js';
import { check, until } from '../harness/check.js';

/** A flood that nobody reads: the sender must stall, and the program's memory must not take it in. */
function unread(direction: 'down' | 'up', kind: 'tunnel' | 'http'): Case {
  return {
    id: `websocket-ends/unread-flood-${direction}-${kind}`,
    rule: 'a flood that nobody reads stalls its sender; memory stays bounded',
    source: 'issue 3, WebSocket: backpressure both ways',
    alone: true,
    timeoutMs: 30_000,
    run: async (world) => {
      const script: Script =
        direction === 'down'
          ? (exchange) => {
              if (kind === 'tunnel') exchange.tunnel(SWITCH_TO_WEBSOCKET);
              else exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n');
              const { connection } = exchange;
              const flood = (): void => {
                while (connection.socket.writable && connection.send(Buffer.alloc(262_144)));
              };
              connection.socket.on('drain', flood);
              flood();
            }
          : (exchange) => {
              if (kind === 'tunnel') exchange.tunnel(SWITCH_TO_WEBSOCKET);
              exchange.connection.socket.pause();
            };
      const before = world.program.residentBytes();
      const stages = await Promise.all(
        Array.from({ length: 4 }, () => world.stage(script, { agentOptions: { keepBytes: 65_536 } })),
      );
      const sent: (() => number)[] = [];
      for (const stage of stages) {
        const client = await world.client(65_536);
        client.send(
          kind === 'tunnel'
            ? stage.upgrade('/f')
            : stage.head(
                direction === 'up' ? 'POST' : 'GET',
                '/f',
                direction === 'up' ? ['Content-Length: 100000000000'] : [],
              ),
        );
        await stage.agent.request();
        if (kind === 'tunnel') await client.answer();
        if (direction === 'down') {
          client.socket.pause();
          sent.push(() => stage.agent.connections[0]?.socket.bytesWritten ?? 0);
        } else {
          const flood = (): void => {
            while (client.socket.writable && client.send(Buffer.alloc(262_144)));
          };
          client.socket.on('drain', flood);
          flood();
          sent.push(() => client.socket.bytesWritten);
        }
      }
      await pause(1_500);
      const stalled = sent.map((count) => count());
      await pause(700);
      const growth = world.program.residentBytes() - before;
      check(growth < 80_000_000, `memory grew by ${Math.round(growth / 1e6)} MB`);
      for (const [i, count] of sent.entries())
        check(count() - (stalled[i] ?? 0) < 4_000_000, 'the sender did not stall');
    },
  };
}

const leaks: Case = {
  id: 'websocket-ends/no-descriptor-left',
  rule: 'no descriptor is left after 1,000 aborted tunnels and requests',
  source: 'issue 3, WebSocket; jupyterhub/configurable-http-proxy#434',
  alone: true,
  timeoutMs: 60_000,
  run: async (world) => {
    const stage = await world.stage(async (exchange) => {
      if (exchange.index % 4 === 0) await new Promise(() => {});
      exchange.tunnel(SWITCH_TO_WEBSOCKET);
      // As any app does: the end of the client ends this side too. `half-open-let-go` has one that does not.
      exchange.connection.socket.on('end', () => exchange.connection.end());
      if (exchange.index % 4 === 2) exchange.connection.reset();
      if (exchange.index % 4 === 3) exchange.connection.end('x');
    });
    const before = world.program.descriptors();
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const client = await world.client(4_096);
          client.send(stage.upgrade('/ws'));
          await pause(5 + (i % 10) * 4);
          if (i % 2) client.reset();
          else client.destroy();
        }),
      );
    }
    const left = (): number => world.program.descriptors() - before;
    await until(() => left() <= 8, 'descriptors are back', 10_000).catch(() =>
      check(false, `${left()} descriptors are left`),
    );
    await stage.released(4_000);
  },
};

const halfOpen: Case = {
  id: 'websocket-ends/half-open-let-go',
  rule: 'a tunnel that one side ended and in which nothing moves any more is let go within 40 seconds',
  source: 'jupyterhub/configurable-http-proxy#434',
  slow: true,
  timeoutMs: 60_000,
  run: async (world) => {
    const stage = await world.stage((exchange) => void exchange.tunnel(SWITCH_TO_WEBSOCKET));
    const { client } = await stage.send(stage.upgrade('/ws'));
    client.destroy();
    const connection = stage.agent.connections[0];
    await until(() => connection?.ending === 'fin', 'the end upstream', 2_000);
    await pause(40_000);
    await until(
      () => {
        connection?.send('anybody there?');
        return connection?.isClosed ?? false;
      },
      'bytes into a tunnel that was let go are refused',
      2_000,
    );
  },
};

/** Floods in every direction, and what a thousand aborted connections leave. */
export const floods: readonly Case[] = [
  unread('down', 'tunnel'),
  unread('up', 'tunnel'),
  unread('down', 'http'),
  unread('up', 'http'),
  leaks,
  halfOpen,
];
