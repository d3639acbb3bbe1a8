import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The response whose bytes are being written to the connection; null if there is none. There is no public way to ask
 * Node.
 */
export function responseOn(socket: Socket): ServerResponse | null {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? null;
}
