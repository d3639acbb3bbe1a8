import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { RawConnection } from '../../../test/kit/raw-connection.js';
import { until } from '../../../test/kit/wait.js';
import { UpgradeRequest } from './upgrade-request.js';

/** A client whose upgrade is being decided. */
async function stage(head = '') {
  const server = createServer({ allowHalfOpen: true });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const client = await RawConnection.open((server.address() as { port: number }).port);
  const [socket] = await accepted;
  const upgrade = new UpgradeRequest('websocket', socket, Buffer.from(head));
  onTestFinished(() => void socket.destroy());
  return { client, socket, upgrade };
}

it('holds what the client sends before the agent has agreed, up to 64 KiB', async () => {
  const { client, socket, upgrade } = await stage('a');
  client.send(Buffer.alloc(65_535, 'b'));
  await until(() => socket.bytesRead === 65_535, 'the bytes');
  expect(upgrade.release().toString()).toBe(`a${'b'.repeat(65_535)}`);
  expect(client.isOver).toBe(false);
});

it('closes the connection of a client that sends more', async () => {
  const { client, socket } = await stage('a');
  client.send(Buffer.alloc(65_536, 'b'));
  await client.closed();
  expect(socket.destroyed).toBe(true);
});

// 65,536 pieces of one byte would be 65,536 buffers.
it('closes the connection of a client that sends it in more than 256 pieces', async () => {
  const { client, socket } = await stage('a');
  for (let pieces = 1; pieces <= 255; pieces++) {
    client.send('b');
    await until(() => socket.bytesRead === pieces, 'a piece');
  }
  expect(socket.destroyed).toBe(false);
  client.send('b');
  await client.closed();
  expect(socket.destroyed).toBe(true);
});
