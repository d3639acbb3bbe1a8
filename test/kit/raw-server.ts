import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { RawConnection } from './raw-connection.js';
import { until } from './wait.js';

/** A server that leaves every byte to the test. */
export interface RawServer {
  readonly port: number;
  /** The next connection that nobody has taken yet. */
  accept(): Promise<RawConnection>;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function startRawServer(): Promise<RawServer> {
  const all: RawConnection[] = [];
  let taken = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => void all.push(new RawConnection(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async accept() {
      await until(() => all.length > taken, 'a connection to the server');
      return all[taken++] as RawConnection;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const connection of all) connection.close();
      await closed;
    },
  };
}
