import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { RawConnection } from './raw-connection.js';

/** A server for one test: on a free port of 127.0.0.1, and gone with all its connections when the test is over. */
export interface Served {
  readonly port: number;
  /** The server's ends of the TCP connections, in the order in which they came. */
  readonly accepted: readonly Socket[];
  /**
   * A connection for requests: with TLS to an https server.
   *
   * @param from the client's address, of 127.0.0.0/8
   */
  connect(from?: string): Promise<RawConnection>;
  /** A TCP connection, that says nothing of TLS by itself. */
  connectTcp(from?: string): Promise<RawConnection>;
}

export async function serve(server: Server): Promise<Served> {
  const accepted: Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of accepted) socket.destroy();
    await closed;
  });
  return {
    port,
    accepted,
    async connect(from) {
      const tcp = await connected(port, from);
      if (!(server instanceof HttpsServer)) return new RawConnection(tcp);
      const tls = connectTls({ socket: tcp, rejectUnauthorized: false });
      await once(tls, 'secureConnect');
      return new RawConnection(tls);
    },
    connectTcp: async (from) => new RawConnection(await connected(port, from)),
  };
}

async function connected(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** A request head of these lines, to a host of no meaning. */
export function requestHead(line: string, fields: readonly string[] = []): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...fields, '\r\n'].join('\r\n');
}

/** How many listeners the socket has, for any event. */
export function listenersOf(socket: Socket): number {
  return socket.eventNames().reduce((sum, event) => sum + socket.listenerCount(event), 0);
}
