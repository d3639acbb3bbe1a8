import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeGently, makeLast } from '../answers/answer.js';
import { stopReading } from '../node-internals/stop-reading.js';

/** Most requests under way on one client connection: no client that means well sends more before it has answers. */
const MAX_UNDER_WAY = 32;

const PIPELINE = Symbol('pipeline');

interface Pipeline {
  underWay: number;
  /** To the request that came last; null while none is under way. */
  last: ServerResponse | null;
}

type Connection = Socket & { [PIPELINE]?: Pipeline };

/**
 * Counts a request in. If it is one too many, neither it nor what comes after it is answered: the connection is read no
 * further, and closed after the answers to the requests before.
 *
 * @returns false if it is one too many
 */
export function enterPipeline(socket: Connection, response: ServerResponse): boolean {
  const pipeline = (socket[PIPELINE] ??= { underWay: 0, last: null });
  if (pipeline.underWay < MAX_UNDER_WAY) {
    pipeline.underWay += 1;
    pipeline.last = response;
    return true;
  }
  endPipeline(socket);
  return false;
}

/** Counts a request out. To be called when its response has closed. */
export function leavePipeline(socket: Connection): void {
  const pipeline = socket[PIPELINE];
  if (pipeline === undefined) return;
  pipeline.underWay -= 1;
  if (pipeline.underWay === 0) pipeline.last = null;
}

/** How many requests are under way on the connection. */
export function underWayOn(socket: Connection): number {
  return socket[PIPELINE]?.underWay ?? 0;
}

/** The response to the request that came last; null where none is under way. */
export function lastOn(socket: Connection): ServerResponse | null {
  return socket[PIPELINE]?.last ?? null;
}

/** Closes the connection after the answers to the requests that are under way, and reads nothing more of it. */
export function endPipeline(socket: Connection): void {
  const last = lastOn(socket);
  if (last === null) return;
  stopReading(socket);
  makeLast(last.req, last);
  // Its head may have been made already, and promise that the connection stays.
  last.once('close', () => {
    if (!socket.writableEnded) closeGently(socket);
  });
}
