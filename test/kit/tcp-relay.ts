import { connect, createServer, type Socket } from 'node:net';

/** A stretch of network between a program and a server, which a test can break. */
export interface TcpRelay {
  readonly port: number;
  /** Resets every connection and refuses new ones. */
  cut(): void;
  /** Swallows every byte without a word: a network failure without a reset. New connections are accepted and hang. */
  freeze(): void;
  /** Lets new connections through again; frozen ones stay dead. */
  restore(): void;
  close(): Promise<void>;
}

/** Relays 127.0.0.1:`port` to `target`. */
export async function startTcpRelay(target: { hostname: string; port: number }): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'frozen' = 'open';
  const adopt = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => void sockets.delete(socket));
  };
  const server = createServer((client) => {
    adopt(client);
    if (state === 'cut') client.resetAndDestroy();
    if (state !== 'open') return;
    const upstream = connect(target.port, target.hostname);
    adopt(upstream);
    client.pipe(upstream).pipe(client);
    client.on('close', () => void upstream.destroy());
    upstream.on('close', () => void client.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => void server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    state = 'cut';
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    cut,
    freeze() {
      state = 'frozen';
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore() {
      state = 'open';
    },
    async close() {
      cut();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}
