import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocketServer } from 'ws';
import { digest, GeneratedBytes } from './generated-bytes.js';

/**
 * An app for long answers: `GET /bytes/{n}` generates n bytes, `PUT /bytes` digests what it gets,
 * `GET /events` sends one event and stays open, a WebSocket on any path echoes.
 */
export class StreamingApp {
  port = 0;
  /** The last body that `/bytes/{n}` has begun to send. */
  lastSent: GeneratedBytes | null = null;
  /** Emits `left` when the reader of `/events` is gone. */
  readonly events = new EventEmitter();
  private readonly server = createServer((request, response) => void this.answer(request, response));
  private readonly echo = new WebSocketServer({ server: this.server });

  async start(): Promise<void> {
    this.echo.on('connection', (client) => {
      client.on('error', () => {});
      client.on('message', (message, isBinary) => client.send(message, { binary: isBinary }));
    });
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const client of this.echo.clients) client.terminate();
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  get webSockets(): number {
    return this.echo.clients.size;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/events') {
      response.on('close', () => this.events.emit('left'));
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      return;
    }
    if (request.method === 'PUT') {
      response.end(JSON.stringify(await digest(request)));
      return;
    }
    this.lastSent = new GeneratedBytes(Number(request.url?.split('/')[2]));
    // A reader who leaves is no failure of the app.
    await pipeline(Readable.from(this.lastSent), response).catch(() => {});
  }
}
