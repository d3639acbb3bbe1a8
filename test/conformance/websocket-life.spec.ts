import { expect } from 'vitest';
import { test } from './test.js';
import { checkOwn } from './world.js';

/** Tunnels over time, and odd ways to open one. */
for (const [name, status, wire] of [
  ['no-upgrade-field', 502, 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\n\r\n'],
  ['no-connection-field', 101, 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n'],
  ['other-protocol', 502, 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'],
  ['bare', 502, 'HTTP/1.1 101\r\n\r\n'],
  [
    'with-length',
    101,
    'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello',
  ],
] as const)
  test(`websocket/odd-101-${name} — a 101 ${
    status === 101
      ? 'with a field too few or too many is a tunnel'
      : 'to a protocol that nobody asked for is a 502'
  } [RFC 9110 15.2.2]`, async (world) => {
    const stage = await world.stage((exchange) => void exchange.tunnel(wire));
    const { client, answer: got } = await stage.send(stage.upgrade('/t'));
    if (status === 502) checkOwn(got, 502, 'upstream_invalid_response');
    else expect(got.status, 'status').toEqual(101);
    if (name === 'with-length') expect((await client.input.take(5)).toString(), 'tunnel').toEqual('hello');
    client.close();
    await stage.released();
  });

test('websocket/pool-untouched — a connection that was a tunnel serves no later request [CVE-2026-58055]', async (world) => {
  const stage = await world.stage();
  const { client } = await stage.send(stage.upgrade('/ws'));
  client.send('x');
  await client.input.take(1);
  client.end();
  await client.closed();
  await stage.proveClean();
  expect(stage.agent.connections.length, 'connections upstream').toEqual(2);
});

test('websocket/200-tunnels — two hundred tunnels at once echo each its own bytes [RFC 6455 1.5]', async (world) => {
  const stage = await world.stage();
  const clients = await Promise.all(Array.from({ length: 200 }, () => world.client()));
  await Promise.all(
    clients.map(async (client, i) => {
      client.send(stage.upgrade(`/ws${i}`));
      expect((await client.answer()).status, 'status').toEqual(101);
      client.send(`own-${i}-bytes`);
      expect((await client.input.take(`own-${i}-bytes`.length)).toString(), 'echo').toEqual(`own-${i}-bytes`);
    }),
  );
});
