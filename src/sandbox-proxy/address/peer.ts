import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** The other end of a client connection. */
export interface Peer {
  /** IP address; an IPv4 address in its own notation, even if the listener is an IPv6 one. */
  readonly address: string;
  /** True if its `X-Forwarded-*` are believed. */
  readonly isTrusted: boolean;
  readonly proto: 'http' | 'https';
}

const PEER = Symbol('peer');

const ADMITTED = Symbol('admitted');

type MaybeAdmitted = Socket & { [ADMITTED]?: true };

/** Notes that a request on the connection has shown a credential that admitted: those that have not are closed first. */
export function noteAdmitted(connection: Socket): void {
  (connection as MaybeAdmitted)[ADMITTED] = true;
}

/** Whether `noteAdmitted` has been called for the connection. */
export function wasAdmitted(connection: Socket): boolean {
  return (connection as MaybeAdmitted)[ADMITTED] === true;
}

/** Knows which peers are trusted. What is found out about a peer is kept on its socket, once per connection. */
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
   * IP address of the client: that of the peer; if the peer is trusted, the last address in `X-Forwarded-For` that is not
   * trusted itself, or the first one if all are.
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

  /** Whether the client came by HTTPS, by its connection or by what a trusted proxy says. */
  isHttps({ headers }: IncomingMessage, { proto, isTrusted }: Peer): boolean {
    if (proto === 'https') return true;
    const forwarded = isTrusted ? headers['x-forwarded-proto'] : undefined;
    return forwarded !== undefined && /^\s*https\s*(,|$)/i.test(String(forwarded));
  }

  trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}
