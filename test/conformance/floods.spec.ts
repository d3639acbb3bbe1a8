import { assert } from 'vitest';
import { SWITCH_TO_WEBSOCKET, type Script } from '../kit/agent.js';
import { pause, settled, until } from '../kit/wait.js';
import { alone } from './test.js';

/** A flood that nobody reads: the sender must stall, and the program's memory must not take it in. */
function unread(direction: 'down' | 'up', kind: 'tunnel' | 'http'): void {
  alone(
    `websocket-ends/unread-flood-${direction}-${kind} — a flood that nobody reads stalls its sender; memory stays bounded [CWE-770]`,
    async (world) => {
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
      const before = world.program.residentBytes;
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
      await settled(() => sent.reduce((sum, count) => sum + count(), 0));
      const growth = world.program.residentBytes - before;
      assert(growth < 80_000_000, `memory grew by ${Math.round(growth / 1e6)} MB`);
    },
  );
}

alone(
  'websocket-ends/no-descriptor-left — no descriptor is left after 1,000 aborted tunnels and requests [jupyterhub/configurable-http-proxy#434]',
  async (world) => {
    const stage = await world.stage(async (exchange) => {
      if (exchange.index % 4 === 0) await new Promise(() => {});
      exchange.tunnel(SWITCH_TO_WEBSOCKET);
      // As any app does: the end of the client ends this side too. `half-open-let-go` has one that does not.
      exchange.connection.socket.on('end', () => exchange.connection.end());
      if (exchange.index % 4 === 2) exchange.connection.reset();
      if (exchange.index % 4 === 3) exchange.connection.end('x');
    });
    const before = world.program.descriptors;
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const client = await world.client(4_096);
          client.send(stage.upgrade('/ws'));
          await pause(5 + (i % 10) * 4);
          if (i % 2) client.reset();
          else client.close();
        }),
      );
    }
    const left = (): number => world.program.descriptors - before;
    await until(() => left() <= 8, 'descriptors are back').catch(() =>
      assert.fail(`${left()} descriptors are left`),
    );
    await stage.released();
  },
);

for (const kind of ['tunnel', 'http'] as const)
  for (const direction of ['down', 'up'] as const) unread(direction, kind);
