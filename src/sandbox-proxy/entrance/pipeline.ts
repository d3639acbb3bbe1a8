import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { markClosing } from '../answers/answer.js';
import { stopReading } from '../node-internals/stop-reading.js';

/** Requests under way on one client connection: no client that means well sends so many ahead of their answers. */
const MAX_UNDER_WAY = 32;

const PIPELINE = Symbol('pipeline');

interface Pipeline {
  underWay: number;
  last: ServerResponse;
}

type Connection = Socket & { [PIPELINE]?: Pipeline };

/**
 * Counts a request in. One too many is not answered any more, nor what comes after it: the connection is not read further,
 * and closed after the answers to those that were let in.
 *
 * @returns false for one too many
 */
export function enterPipeline(socket: Connection, response: ServerResponse): boolean {
  const pipeline = socket[PIPELINE];
  if (pipeline === undefined) {
    socket[PIPELINE] = { underWay: 1, last: response };
    return true;
  }
  if (pipeline.underWay < MAX_UNDER_WAY) {
    pipeline.underWay += 1;
    pipeline.last = response;
    return true;
  }
  markClosing(socket);
  pipeline.last.shouldKeepAlive = false;
  stopReading(socket);
  return false;
}

/** Counts a request out whose response has closed. */
export function leavePipeline(socket: Connection): void {
  const pipeline = socket[PIPELINE];
  if (pipeline !== undefined) pipeline.underWay -= 1;
}

/** How many requests are under way on the connection. */
export function underWayOn(socket: Connection): number {
  return socket[PIPELINE]?.underWay ?? 0;
}
