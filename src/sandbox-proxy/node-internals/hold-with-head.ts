import type { ServerResponse } from 'node:http';

/**
 * Adds a body to a head that `writeHead` has set, with a Content-Length, but that has not been sent: both are then sent in
 * one write when the response ends. By itself Node corks three pieces (head, body, and an empty string at the end) into a
 * `writev`, which costs 9 µs more (Node 20.20, 2026-11). Node keeps the unsent head in `_header`.
 *
 * @param body latin1: one character for each byte
 * @returns false if there is no such head: then end the response in the ordinary way
 */
export function holdWithHead(response: ServerResponse, body: string): boolean {
  const waiting = response as unknown as { _header: string | null; _headerSent: boolean };
  if (typeof waiting._header !== 'string' || waiting._headerSent) return false;
  waiting._header += body;
  return true;
}
