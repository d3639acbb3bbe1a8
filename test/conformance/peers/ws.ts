import { once } from 'node:events';
import { WebSocket } from 'ws';
import { expect, type Peer, type Target } from './peer.js';

async function open(target: Target, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${target.port}/ws?x=%20`, protocols, {
    headers: { Host: target.host, 'X-API-Key': target.key },
    perMessageDeflate: true,
  });
  await once(socket, 'open');
  return socket;
}

async function echo(socket: WebSocket, message: string | Buffer): Promise<string | null> {
  socket.send(message);
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return expect(
    data.equals(Buffer.from(message)) && isBinary === Buffer.isBuffer(message),
    `${data.length} other bytes`,
  );
}

async function closing(target: Target, code: number): Promise<string | null> {
  const socket = await open(target);
  socket.send(`close ${code}`);
  const [got, reason] = (await once(socket, 'close')) as [number, Buffer];
  return expect(got === code && reason.toString() === 'as asked', `closed with ${got} ${reason.toString()}`);
}

/** The `ws` package on both sides. */
export const wsPeer: Peer = {
  name: 'ws',
  absent: async () => null,
  checks: async (target) => {
    const socket = await open(target, ['chat', 'superchat']);
    const pong = once(socket, 'pong');
    socket.ping('are you there');
    const [answered] = (await pong) as [Buffer];
    const results: (readonly [string, string | null])[] = [
      ['subprotocol', expect(socket.protocol === 'superchat', socket.protocol)],
      ['permessage-deflate', expect(socket.extensions.includes('permessage-deflate'), socket.extensions)],
      ['ping and pong', expect(answered.toString() === 'are you there', answered.toString())],
      ['text', await echo(socket, 'zażółć 🎉')],
      ['empty', await echo(socket, '')],
      ['binary', await echo(socket, Buffer.alloc(70_000, 0xfe))],
      ['8 MiB', await echo(socket, Buffer.alloc(8_388_608, 7))],
    ];
    socket.close(1000);
    for (const code of [1000, 1001, 1008, 1011, 3000, 4001])
      results.push([`close ${code}`, await closing(target, code)]);
    const refused = new WebSocket(`ws://127.0.0.1:${target.port}/ws`, { headers: { Host: target.host } });
    const [error] = (await once(refused, 'error')) as [Error];
    results.push(['no key is 401', expect(error.message.includes('401'), error.message)]);
    return results;
  },
};
