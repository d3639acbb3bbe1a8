import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { UpgradeRequest } from '../relay/upgrade-request.js';
import { whenFree } from './when-free.js';

/**
 * Serves a request that asked for an upgrade as the plain request it also is: its bytes go back to the socket
 * without the Upgrade header, and the socket to the server as a new connection. (Once somebody listens for
 * upgrades, Node 20 takes every request that offers one off HTTP for good: also the `h2c` that some clients
 * put on each first request.)
 *
 * @param head bytes that came behind the request's head
 * @param accept takes the socket as a new connection of the server
 */
export function replayWithoutUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  accept: (socket: Socket) => void,
): void {
  // Held like an upgrade until then: read on, or a client that leaves meanwhile would go unnoticed.
  const offer = new UpgradeRequest(request.headers.upgrade ?? '', socket, head);
  whenFree(socket, () => {
    const behind = offer.release();
    if (behind.length > 0) socket.unshift(behind);
    socket.unshift(Buffer.from(plainHead(request), 'latin1'));
    accept(socket);
    socket.resume();
  });
}

function plainHead({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower === 'upgrade' || lower === 'http2-settings') continue;
    text += `${name}: ${lower === 'connection' ? withoutUpgrade(value) : value}\r\n`;
  }
  return `${text}\r\n`;
}

function withoutUpgrade(connection: string): string {
  const tokens = connection.split(',').map((token) => token.trim());
  return tokens.filter((token) => !/^(upgrade|http2-settings)$/i.test(token)).join(', ');
}
