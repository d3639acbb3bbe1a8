import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';

/** What serves a request whose head is in; `upgrade` says by then whether the client offers one. */
type OnIncoming = (request: IncomingMessage, shouldKeepAlive: boolean) => number;

interface DecidingServer extends Server {
  /** Node 22.21, 24.9 and later: whether an offer is taken. An option of `createServer`; read for each offer. */
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/**
 * Serves a request whose offer of an upgrade nobody wants as the plain request it also is. By itself Node takes every
 * such request off HTTP for good once somebody listens for 'upgrade', also the `h2c` that some clients put on each first
 * request. To be called before the first connection.
 *
 * @param declines never asked about CONNECT
 */
export function declineUpgrades(server: Server, declines: (request: IncomingMessage) => boolean): void {
  const deciding = server as DecidingServer;
  const others = deciding.shouldUpgradeCallback;
  if (others !== undefined) {
    deciding.shouldUpgradeCallback = (request) => !declines(request) && others.call(server, request);
    return;
  }
  // Node 20: it asks nobody, and only looks whether somebody listens.
  server.on(acceptEvent(server), (socket: Socket) => {
    const { parser } = socket as Socket & { parser: { onIncoming: OnIncoming } };
    const { onIncoming } = parser;
    parser.onIncoming = (request, shouldKeepAlive) => {
      const offer = request as IncomingMessage & { upgrade: boolean };
      if (offer.upgrade && request.method !== 'CONNECT' && declines(request)) offer.upgrade = false;
      return onIncoming(request, shouldKeepAlive);
    };
  });
}
