import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A stretch of network between a program and a server, which a test can break. */
export interface TcpRelay {
  /** What was given, but through the relay. */
  readonly url: string;
  /** Resets every connection and refuses new ones. */
  cut(): void;
  /** Swallows every byte without a word: a network failure without a reset. New connections are accepted and hang. */
  freeze(): void;
  /** Lets new connections through again; frozen ones stay dead. */
  restore(): void;
  close(): Promise<void>;
}

/** Relays a free port of 127.0.0.1 to the server at `targetUrl`, which has a port. */
export async function startTcpRelay(targetUrl: string): Promise<TcpRelay> {
  const url = new URL(targetUrl);
  const target = { host: url.hostname, port: Number(url.port) };
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
    const upstream = connect(target);
    adopt(upstream);
    client.pipe(upstream).pipe(client);
    client.on('close', () => void upstream.destroy());
    upstream.on('close', () => void client.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => void server.once('listening', resolve));
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => {
    state = 'cut';
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: url.href,
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
