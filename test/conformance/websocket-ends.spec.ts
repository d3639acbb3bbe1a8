import { assert, expect } from 'vitest';
import { SWITCH_TO_WEBSOCKET } from '../kit/agent.js';
import { pause, until } from '../kit/wait.js';
import { test } from './test.js';
import { checkOwn } from './world.js';
import { openTunnel } from './openings.js';

for (const how of ['fin', 'rst'] as const) {
  test(`websocket-ends/client-${how} — the sandbox sees within 100 ms that the client left (${how}) [http-party/node-http-proxy#1510]`, async (world) => {
    const { stage, client } = await openTunnel(world);
    const connection = stage.agent.connections[0];
    const begun = performance.now();
    if (how === 'fin') client.close();
    else client.reset();
    await until(() => connection?.ending !== null, 'the end upstream');
    // 100 ms by rule; the rest is room for a loaded machine.
    expect((connection?.endedAt ?? 0) - begun, 'ms').toBeLessThan(2_000);
  });

  test(`websocket-ends/sandbox-${how} — the client sees that the sandbox ended the tunnel (${how}) [http-party/node-http-proxy#1468]`, async (world) => {
    const { stage, client } = await openTunnel(world);
    const connection = stage.agent.connections[0];
    if (how === 'fin') connection?.end('bye');
    else connection?.reset();
    await client.closed();
    if (how === 'fin') expect(client.transcript.endsWith('bye'), 'last bytes').toEqual(true);
    client.close();
    await stage.proveClean();
  });

  test(`websocket-ends/client-${how}-before-101 — a client that leaves before the 101 ends the upstream request [http-party/node-http-proxy#1510; jupyterhub/configurable-http-proxy#434]`, async (world) => {
    const stage = await world.stage(() => new Promise(() => {}));
    const client = await stage.client();
    client.send(stage.upgrade('/ws'));
    await stage.agent.request();
    if (how === 'fin') client.close();
    else client.reset();
    await until(() => stage.agent.connections[0]?.ending !== null, 'the end upstream');
  });

  test(`websocket-ends/sandbox-${how}-before-101 — a sandbox that ends before the 101 is a 502 [RFC 9110 15.6.3]`, async (world) => {
    const stage = await world.stage((exchange) =>
      how === 'fin' ? exchange.connection.end() : exchange.connection.reset(),
    );
    checkOwn((await stage.send(stage.upgrade('/ws'))).answer, 502, 'upstream_unreachable');
  });

  test(`websocket-ends/sandbox-${how}-within-101 — a sandbox that ends inside the 101’s head is a 502 [RFC 9110 15.6.3]`, async (world) => {
    const stage = await world.stage((exchange) => {
      exchange.send('HTTP/1.1 101 Switching Prot');
      setTimeout(() => (how === 'fin' ? exchange.connection.end() : exchange.connection.reset()), 20);
    });
    expect((await stage.send(stage.upgrade('/ws'))).answer.status, 'status').toEqual(502);
  });

  test(`websocket-ends/client-${how}-while-flooded — a client that leaves in the middle of a flood ends it [http-party/node-http-proxy#1468]`, async (world) => {
    const { stage, client } = await openTunnel(world, (exchange) => {
      exchange.tunnel(SWITCH_TO_WEBSOCKET);
      const flood = (): void => {
        while (exchange.connection.socket.writable && exchange.connection.send(Buffer.alloc(65_536)));
      };
      exchange.connection.socket.on('drain', flood);
      flood();
    });
    await until(() => client.total > 500_000, 'the flood');
    if (how === 'fin') client.close();
    else client.reset();
    await stage.released();
  });

  test(`websocket-ends/sandbox-${how}-while-flooded — a sandbox that leaves in the middle of the client’s flood ends it [http-party/node-http-proxy#1468]`, async (world) => {
    const { stage, client } = await openTunnel(world);
    const flood = (): void => {
      while (client.socket.writable && client.send(Buffer.alloc(65_536)));
    };
    client.socket.on('drain', flood);
    flood();
    await until(() => (stage.agent.connections[0]?.total ?? 0) > 500_000, 'the flood');
    if (how === 'fin') stage.agent.connections[0]?.socket.destroy();
    else stage.agent.connections[0]?.reset();
    await client.closed();
  });
}

test('websocket-ends/client-half-close — a client’s FIN reaches the sandbox, and what the sandbox still sends reaches the client [RFC 9293 3.6]', async (world) => {
  const { stage, client } = await openTunnel(world);
  const connection = stage.agent.connections[0];
  client.send('last words');
  client.end();
  await until(() => connection?.ending === 'fin', 'FIN upstream');
  assert(connection && connection.transcript.endsWith('last words'), 'the last words');
  connection.send('an answer');
  expect((await client.input.take(9)).toString(), 'bytes after the FIN').toEqual('an answer');
  connection.end();
  expect(await client.closed(), 'the end').toEqual('fin');
});

test('websocket-ends/sandbox-half-close — a sandbox’s FIN reaches the client, and what the client still sends reaches the sandbox [RFC 9293 3.6]', async (world) => {
  const { stage, client } = await openTunnel(world);
  const connection = stage.agent.connections[0];
  connection?.end('last words');
  expect(await client.closed(), 'FIN to the client').toEqual('fin');
  assert(client.transcript.endsWith('last words'), 'the last words');
  client.send('an answer');
  await until(() => connection?.transcript.endsWith('an answer') ?? false, 'bytes after the FIN');
  client.end();
  await stage.released();
});

test('websocket-ends/half-close-before-101 — a client that ends its side before the 101 has left [RFC 9112 9.6]', async (world) => {
  const stage = await world.stage(() => new Promise(() => {}));
  const client = await stage.client();
  client.send(stage.upgrade('/ws'));
  await stage.agent.request();
  client.end('all I say');
  await client.closed();
  expect(client.total, 'bytes to the client').toEqual(0);
  await stage.released();
});

test('websocket-ends/both-at-once — both sides may leave in the same moment [http-party/node-http-proxy#1468]', async (world) => {
  for (let i = 0; i < 10; i++) {
    const { stage, client } = await openTunnel(world);
    stage.agent.connections[0]?.reset();
    client.reset();
    await stage.released();
  }
});

for (const bytes of [1, 30, 60, 90, 120] as const)
  test(`websocket-ends/client-reset-after-${bytes}-bytes-of-the-handshake — a client that resets within its handshake leaves nothing behind [http-party/node-http-proxy#1468]`, async (world) => {
    const stage = await world.stage();
    const client = await stage.client();
    client.send(stage.upgrade('/ws').slice(0, bytes));
    await world.roundTrip();
    client.reset();
    await world.roundTrip();
    expect(stage.agent.received.length, 'requests upstream').toEqual(0);
  });

test('websocket-ends/sandbox-paused-while-open — bytes behind a reader that pauses for long arrive whole [CWE-770]', async (world) => {
  const { stage, client } = await openTunnel(world);
  const connection = stage.agent.connections[0];
  const before = connection?.total ?? 0;
  connection?.socket.pause();
  client.send(Buffer.alloc(3_000_000, 'm'));
  await pause(200);
  connection?.socket.resume();
  await until(() => connection?.total === before + 3_000_000, 'all bytes');
  assert(/m{3000000}$/.test(connection?.transcript ?? ''), 'bytes differ');
});
