import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/**
 * The event by which the server announces a connection for requests. Node's own listener for it comes first, so all others
 * find a parser on the connection.
 */
export function acceptEvent(server: Server): 'connection' | 'secureConnection' {
  return server instanceof TlsServer ? 'secureConnection' : 'connection';
}

/** The TCP connection below a connection for requests: with TLS another socket, which `connection` has announced. */
export function connectionBelow(socket: Socket & { readonly _parent?: Socket | null }): Socket {
  return socket._parent ?? socket;
}
