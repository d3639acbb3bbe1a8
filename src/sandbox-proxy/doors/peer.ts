import { type BlockList, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Who is at the other end of a client connection. */
export interface Peer {
  /** IP address; IPv4 in its own notation also where the listener speaks IPv6. */
  readonly address: string;
  /** True where its `X-Forwarded-*` are believed. */
  readonly isTrusted: boolean;
  readonly proto: 'http' | 'https';
}

/** Tells peers apart by `TRUSTED_PROXIES`; asked once per connection. */
export class Peers {
  private readonly known = new WeakMap<Socket, Peer>();

  constructor(private readonly trusted: BlockList) {}

  of(socket: Socket): Peer {
    let peer = this.known.get(socket);
    if (peer === undefined) {
      const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
      const family = isIP(address);
      const isTrusted = family !== 0 && this.trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
      peer = { address, isTrusted, proto: (socket as TLSSocket).encrypted === true ? 'https' : 'http' };
      this.known.set(socket, peer);
    }
    return peer;
  }
}
