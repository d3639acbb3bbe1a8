import { once } from 'node:events';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { type Target, test } from './stage.js';

function dial({ host, port, key }: Target, protocols: string[] = []): WebSocket {
  const headers = { Host: host, ...(key === '' ? {} : { 'X-API-Key': key }) };
  return new WebSocket(`ws://127.0.0.1:${port}/ws?x=%20`, protocols, { headers, perMessageDeflate: true });
}

async function open(target: Target, protocols?: string[]): Promise<WebSocket> {
  const socket = dial(target, protocols);
  await once(socket, 'open');
  return socket;
}

test('subprotocol and permessage-deflate', async ({ target }) => {
  const socket = await open(target, ['chat', 'superchat']);
  expect(socket.protocol).toBe('superchat');
  expect(socket.extensions).toContain('permessage-deflate');
  socket.close();
});

test('ping and pong', async ({ target }) => {
  const socket = await open(target);
  const pong = once(socket, 'pong');
  socket.ping('are you there');
  expect(String((await pong)[0])).toBe('are you there');
  socket.close();
});

const MESSAGES: [name: string, message: string | Buffer][] = [
  ['text', 'zażółć 🎉'],
  ['empty', ''],
  ['binary', Buffer.alloc(70_000, 0xfe)],
  ['8 MiB', Buffer.alloc(8_388_608, 7)],
];
for (const [name, message] of MESSAGES)
  test(name, async ({ target }) => {
    const socket = await open(target);
    socket.send(message);
    const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    expect(data.equals(Buffer.from(message))).toBe(true);
    expect(isBinary).toBe(Buffer.isBuffer(message));
    socket.close();
  });

for (const code of [1000, 1001, 1008, 1011, 3000, 4001])
  test(`close ${code}`, async ({ target }) => {
    const socket = await open(target);
    socket.send(`close ${code}`);
    const [got, reason] = (await once(socket, 'close')) as [number, Buffer];
    expect([got, String(reason)]).toEqual([code, 'as asked']);
  });

test('no key is 401', async ({ target }) => {
  const [error] = (await once(dial({ ...target, key: '' }), 'error')) as [Error];
  expect(error.message).toContain('401');
});
