import type { Server } from 'node:http';
import { Server as TlsServer } from 'node:tls';

/**
 * What the server emits for a connection over which requests may come. Node's own listener for it is the first, so that
 * every other one finds the connection with its parser.
 */
export function acceptEvent(server: Server): 'connection' | 'secureConnection' {
  return server instanceof TlsServer ? 'secureConnection' : 'connection';
}
