import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { DEMO_PAGE, DEMO_TEXT } from './demo-page.js';

const TICK_MS = 1_000;
const ECHO_MAX_BYTES = 1_048_576;

/**
 * The app that plays the code in the sandbox after the first start: `/` is a page, `/clock` server-sent events, `/echo` a
 * WebSocket, `/headers` the headers that arrived. It listens on 127.0.0.1 and knows nothing of the proxy.
 */
export class DemoApp {
  private readonly server: Server;
  private readonly echo = new WebSocketServer({ noServer: true, maxPayload: ECHO_MAX_BYTES });

  constructor() {
    this.server = createServer(answer);
    this.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      if (pathOf(request) !== '/echo')
        return void socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      this.echo.handleUpgrade(request, socket, head, (client) => {
        client.on('error', () => {});
        client.on('message', (message, isBinary) => client.send(message, { binary: isBinary }));
      });
    });
  }

  /** Listens on `preferredPort`, or on a free port if that is taken. */
  async start(preferredPort = 0): Promise<{ port: number }> {
    try {
      await this.listen(preferredPort);
    } catch (error) {
      if (preferredPort === 0) throw error;
      await this.listen(0);
    }
    return { port: (this.server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    for (const client of this.echo.clients) client.terminate();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/';
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (pathOf(request)) {
    case '/': {
      const wantsPage = request.headers.accept?.includes('text/html') === true;
      response.setHeader(
        'Content-Type',
        wantsPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
      );
      response.end(wantsPage ? DEMO_PAGE : DEMO_TEXT);
      break;
    }
    case '/clock':
      return tick(response);
    case '/headers':
      response.setHeader('Content-Type', 'application/json');
      response.end(`${JSON.stringify(request.headers, null, 2)}\n`);
      break;
    default:
      response.statusCode = 404;
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end('no such page in the demo app\n');
  }
}

/** Sends the time now and then every second, until the reader leaves. */
function tick(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  const send = () => response.write(`data: ${new Date().toISOString()}\n\n`);
  send();
  const timer = setInterval(send, TICK_MS);
  response.on('close', () => clearInterval(timer));
}
