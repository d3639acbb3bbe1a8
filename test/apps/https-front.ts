import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Certificate } from '../kit/certificates.js';

/**
 * What stands in front of the program in production, such as a load balancer: it takes TLS off, speaks HTTP to the
 * program, and tells it of the visitor in `X-Forwarded-For`, `-Proto` and `-Host`.
 */
export class HttpsFront {
  port = 0;
  private server!: Server;
  private readonly agent = new Agent({ keepAlive: true });
  private readonly sockets = new Set<Socket>();

  /** @param programPort where the program listens on 127.0.0.1 */
  async start({ cert, key }: Certificate, programPort: number): Promise<void> {
    const to = { host: '127.0.0.1', port: programPort };
    this.server = createServer({ cert, key, requestTimeout: 0 }, (inbound, answer) =>
      this.forward(inbound, answer, to),
    );
    this.server.on('upgrade', (inbound: IncomingMessage, socket: Duplex, early: Buffer) =>
      tunnel(inbound, socket, early, to),
    );
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    this.agent.destroy();
    await closed;
  }

  private forward(inbound: IncomingMessage, answer: ServerResponse, to: Target): void {
    const { method, url } = inbound;
    const headers = withForwarded(inbound);
    const outbound = request({ ...to, agent: this.agent, method, path: url, headers } as never);
    outbound.on('response', (response) => {
      answer.sendDate = false;
      answer.writeHead(response.statusCode ?? 502, response.statusMessage, response.rawHeaders);
      answer.flushHeaders();
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    outbound.on('error', () => answer.destroy());
    answer.on('close', () => outbound.destroy());
    inbound.pipe(outbound);
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function tunnel(inbound: IncomingMessage, socket: Duplex, early: Buffer, to: Target): void {
  const program = connect({ ...to, noDelay: true });
  const headers = withForwarded(inbound);
  let head = `${inbound.method} ${inbound.url} HTTP/1.1\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  program.write(`${head}\r\n`, 'latin1');
  program.write(early);
  for (const [one, other] of [
    [socket, program],
    [program, socket],
  ] as const) {
    one.pipe(other);
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

/** Names and values in turn, as they came, and what a front adds. */
function withForwarded({ rawHeaders, headers, socket }: IncomingMessage): string[] {
  const added = { For: socket.remoteAddress ?? '', Proto: 'https', Host: headers.host ?? '' };
  return [...rawHeaders, ...Object.entries(added).flatMap(([name, value]) => [`X-Forwarded-${name}`, value])];
}
