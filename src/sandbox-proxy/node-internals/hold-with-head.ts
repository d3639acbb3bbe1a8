import type { ServerResponse } from 'node:http';

/**
 * Adds a body to the head that `writeHead` has set with a Content-Length and that has not been sent, so that both
 * leave in one write when the response ends. By itself Node corks three pieces (head and body, and an empty string
 * at the end) into a `writev`, which costs 9 µs more (Node 20.20, 2026-11). The head that waits to be sent is Node's
 * own `_header`; false where that is no string: end the response in the ordinary way.
 *
 * @param body latin1: a character is a byte
 */
export function holdWithHead(response: ServerResponse, body: string): boolean {
  const waiting = response as unknown as { _header: string | null; _headerSent: boolean };
  if (typeof waiting._header !== 'string' || waiting._headerSent) return false;
  waiting._header += body;
  return true;
}
