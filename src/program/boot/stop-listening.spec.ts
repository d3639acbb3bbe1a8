import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { stopListening } from './stop-listening.js';

it('refuses new connections, and leaves those that were accepted to end by themselves', async () => {
  const server = createServer((socket) => void socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  await stopListening(server);
  const refused = connect(port, '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  const closed = once(server.close(), 'close');
  client.write('still here');
  expect(String((await once(client, 'data'))[0])).toBe('still here');
  client.end();
  await closed;
});
