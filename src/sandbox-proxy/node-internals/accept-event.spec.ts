import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createAuthority } from '../../../test/kit/certificates.js';
import { serve } from '../../../test/kit/serve.js';
import { acceptEvent, connectionBelow } from './accept-event.js';

const certificate = await createAuthority('localhost');

it.each([
  ['http', createServer],
  ['https', () => createHttpsServer(certificate)],
])('a connection for requests is known, and what is below it: %s', async (_, create) => {
  const server: Server = create();
  const { accepted, connect } = await serve(server);
  const announced = once(server, acceptEvent(server));
  await connect();
  const [socket] = (await announced) as [Socket & { parser: unknown }];
  expect(socket.parser).not.toBeNull();
  expect(connectionBelow(socket)).toBe(accepted[0]);
});
