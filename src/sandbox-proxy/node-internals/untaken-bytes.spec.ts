import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createAuthority } from '../../../test/kit/certificates.js';
import { requestHead, serve } from '../../../test/kit/serve.js';
import { settled, until } from '../../../test/kit/wait.js';
import { takenWhileOthersWait } from './untaken-bytes.js';

const certificate = await createAuthority('localhost');
/** More than the kernel takes for a client that does not read. */
const LARGE = Buffer.alloc(30_000_000);

it.each([
  ['http', createServer],
  ['https', () => createHttpsServer(certificate)],
])('what a client takes of one large answer is told while the rest waits: %s', async (_, create) => {
  const server: Server = create();
  server.on('request', (_request, response) => response.end(LARGE));
  const { accepted, connect } = await serve(server);
  const client = await connect();
  const [socket] = accepted as [Socket];
  expect(takenWhileOthersWait(socket)).toBeNull();
  client.socket.pause();
  client.send(requestHead('GET /'));
  await once(server, 'request');
  const taken = await settled(() => takenWhileOthersWait(socket) ?? 0);
  expect(taken).toBeGreaterThan(0);
  client.socket.resume();
  await once(client.socket, 'data');
  await until(() => (takenWhileOthersWait(socket) ?? Infinity) > taken);
  await until(() => client.total > LARGE.length);
  await until(() => takenWhileOthersWait(socket) === null);
  socket.destroy();
  expect(takenWhileOthersWait(socket)).toBeNull();
});
