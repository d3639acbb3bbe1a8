import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';

/** An ordinary app behind an agent's prefix, made of Node's http and of `ws`: what peers talk to. */
export class Application {
  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
  ) {}

  static async start(): Promise<Application> {
    const server = createServer((request, response) => void serve(request, response));
    const sockets = new WebSocketServer({
      server,
      perMessageDeflate: true,
      handleProtocols: (offered) => [...offered].at(-1) ?? false,
    });
    sockets.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        const text = isBinary ? '' : (data as Buffer).toString();
        if (text.startsWith('close ')) socket.close(Number(text.slice(6)), 'as asked');
        else socket.send(data as Buffer, { binary: isBinary });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Application(server, sockets);
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.sockets.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').replace(/^\/proxy\/cl-[0-9a-z]+\/\d+/, '');
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  if (path.startsWith('/small')) response.end('small');
  else if (path.startsWith('/big')) response.end(Buffer.alloc(5_000_000, 'b'));
  else if (path.startsWith('/gzip')) {
    response.writeHead(200, { 'Content-Encoding': 'gzip' });
    response.end(gzipSync('zipped '.repeat(1_000)));
  } else if (path.startsWith('/events')) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (let i = 0; i < 3; i++) {
      response.write(`data: ${i}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    response.end();
  } else if (path.startsWith('/trailers')) {
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('with trailers');
    response.addTrailers({ 'X-Sum': '42' });
    response.end();
  } else {
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({
        method: request.method,
        path,
        length: body.length,
        body: body.subarray(0, 100).toString(),
        headers: request.rawHeaders,
      }),
    );
  }
}
