import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';

/** The domain of the control plane and its sandboxes, and another site; neither is known to any name server. */
export const DOMAIN = 'sandboxes.test';
export const OTHER_SITE = 'other-site.test';

/** What stands in front of the program in production: takes TLS off, and hands the bytes on by the name that was asked for. */
export class TlsFront {
  port = 0;
  private server!: Server;
  private readonly targets = new Map<string, number>();
  private readonly sockets = new Set<TLSSocket>();

  async start(): Promise<void> {
    const names = [DOMAIN, `*.${DOMAIN}`, OTHER_SITE];
    const { cert, private: key } = await generate([{ name: 'commonName', value: DOMAIN }], {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) }],
    });
    this.server = createServer({ cert, key, ALPNProtocols: ['http/1.1'], noDelay: true }, (socket) =>
      this.relay(socket),
    );
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Sends connections for a name, and for all names below it, to a local port. */
  route(name: string, port: number): void {
    this.targets.set(name, port);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private relay(socket: TLSSocket): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    const name = socket.servername || '';
    const found = [...this.targets].find(([of]) => name === of || name.endsWith(`.${of}`));
    if (found === undefined) return void socket.destroy();
    const target = connect({ port: found[1], host: '127.0.0.1', noDelay: true });
    target.on('error', () => socket.destroy());
    target.on('close', () => socket.destroySoon());
    socket.on('close', () => {
      this.sockets.delete(socket);
      target.destroy();
    });
    socket.pipe(target).pipe(socket);
  }
}
