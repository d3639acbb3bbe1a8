import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

/** What the agent was asked, as it answers it. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyLength: number;
}

/**
 * A host agent that answers each request with what it was, as JSON, and each WebSocket message with itself. A path that
 * ends in `/endless` gets the head and one line of an answer that does not end.
 */
export class Agent {
  private readonly server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    if (url.endsWith('/endless')) return void response.write('first\n');
    const bodyLength = (await text(request)).length;
    const body = JSON.stringify({ method, url, headers, bodyLength });
    response.setHeader('content-length', Buffer.byteLength(body)).end(body);
  });
  private readonly sockets = new WebSocketServer({ server: this.server });

  constructor() {
    this.sockets.on('connection', (socket, { url = '', headers }) => {
      socket.send(JSON.stringify({ method: 'GET', url, headers, bodyLength: 0 }));
      socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
      socket.on('error', () => undefined);
    });
  }

  static async start(): Promise<Agent> {
    const agent = new Agent();
    await once(agent.server.listen(0, '127.0.0.1'), 'listening');
    return agent;
  }

  /** `127.0.0.1:{port}` */
  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const client of this.sockets.clients) client.terminate();
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
  }
}
