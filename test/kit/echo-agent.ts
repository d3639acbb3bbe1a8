import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

/** A host agent that answers every request with what it was, and every WebSocket message with itself. */
export interface EchoAgent {
  readonly port: number;
  /** How many requests have come. */
  readonly requests: number;
  close(): Promise<void>;
}

/** Answers `{method} {path inside the sandbox} {body}`. */
export async function startEchoAgent(): Promise<EchoAgent> {
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    const path = (request.url ?? '').replace(/^\/proxy\/[^/]+\/\d+/, '');
    const body = await text(request);
    response.end(`${request.method} ${path === '/*' ? '*' : path} ${body}`);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
