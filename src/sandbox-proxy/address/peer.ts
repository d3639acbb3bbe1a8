import type { IncomingMessage } from 'node:http';
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

const PEER = Symbol('peer');

/** Tells peers apart by `TRUSTED_PROXIES`; worked out once per connection, and kept on its socket. */
export class Peers {
  constructor(private readonly trusted: BlockList) {}

  of(socket: Socket & { [PEER]?: Peer }): Peer {
    let peer = socket[PEER];
    if (peer === undefined) {
      const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
      peer = {
        address,
        isTrusted: this.trusts(address),
        proto: (socket as TLSSocket).encrypted === true ? 'https' : 'http',
      };
      socket[PEER] = peer;
    }
    return peer;
  }

  /**
   * IP address of the client: of the peer, or, where that is trusted, the last in `X-Forwarded-For` that is not trusted
   * itself; of a chain of trusted proxies the first.
   */
  clientOf({ headers }: IncomingMessage, { address, isTrusted }: Peer): string {
    const forwarded = isTrusted ? headers['x-forwarded-for'] : undefined;
    if (forwarded === undefined) return address;
    let client = address;
    for (const hop of String(forwarded).split(',').toReversed()) {
      client = hop.trim();
      if (!this.trusts(client)) break;
    }
    return client;
  }

  /** Whether the client came by HTTPS, as far as the connection or a trusted proxy says. */
  isHttps({ headers }: IncomingMessage, { proto, isTrusted }: Peer): boolean {
    if (proto === 'https') return true;
    const forwarded = isTrusted ? headers['x-forwarded-proto'] : undefined;
    return forwarded !== undefined && /^\s*https\s*(,|$)/i.test(String(forwarded));
  }

  private trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}
