import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The response that has the connection, so that its bytes go out; null between two. Node's own note: there is no public way to ask. */
export function responseOn(socket: Socket): ServerResponse | null {
  return (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage ?? null;
}
