import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** An app on a free port of 127.0.0.1, whose WebSockets echo, on any path. */
export abstract class HttpApp {
  port = 0;
  private readonly server = createServer((request, response) => void this.answer(request, response));
  private readonly echo = new WebSocketServer({ server: this.server });

  async start(): Promise<void> {
    this.echo.on('connection', (client, request) => {
      this.onWebSocket(request);
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

  protected onWebSocket(_request: IncomingMessage): void {}
  protected abstract answer(request: IncomingMessage, response: ServerResponse): unknown;
}
