import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { markClosing } from '../answers/answer.js';
import { allowHalfOpen } from '../node-internals/half-open.js';
import { responseOn } from '../node-internals/response-on-socket.js';
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

/** How long a client that has ended its side is believed to be there still, without the first byte of an answer, ms. */
const FIRST_BYTE_MS = 5_000;

/**
 * A client that ends its side of the connection right after its request gets its answer. A client that has gone looks the
 * same: so the answer has to begin within 5 s, and the request is given up otherwise, as it is where the client ends its
 * side after the answer has begun.
 */
export function answerHalfClosed(server: Server, socket: Socket): void {
  allowHalfOpen(server, socket, isAnswerAwaited);
}

function isAnswerAwaited(socket: Socket): boolean {
  if (underWayOn(socket) === 0 || responseOn(socket)?.headersSent === true) return false;
  expectAnswer(socket);
  return true;
}

function expectAnswer(socket: Socket): void {
  const response = responseOn(socket);
  const timer = setTimeout(() => {
    if (socket.destroyed) return;
    if (response !== null && responseOn(socket) === response && !response.headersSent) socket.destroy();
    else expectAnswer(socket);
  }, FIRST_BYTE_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}
