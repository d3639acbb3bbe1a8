import type { Socket } from 'node:net';

interface Parser {
  /** Takes the connection off the list of those whose requests the server times; the next request puts it back. */
  remove(): void;
}

/**
 * The request whose head has just come in may take any time to come in whole, whatever the server's `requestTimeout`;
 * the next one on the connection has that clock again. Until the body is in, `server.closeAllConnections()` does not
 * know the connection: who calls that ends such a connection as well.
 */
export function liftRequestTimeout(socket: Socket): void {
  (socket as Socket & { parser?: Parser | null }).parser?.remove();
}
