import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { rawAnswer } from '../answers/raw-answer.js';
import type { ProxyErrorCode } from '../error-status.js';
import { responseOn } from '../node-internals/response-on-socket.js';
import { endPipeline, lastOn } from './pipeline.js';

const WORDS: Readonly<Record<string, readonly [code: ProxyErrorCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'the head of the request is larger than this server accepts'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'the request did not arrive in time'],
};
const MALFORMED = ['invalid_request', 'the request is not valid HTTP/1.1'] as const;

/**
 * Answers requests that cannot be read, which Node does by itself, with a code and a message of ours. Only for a
 * listener of our own: whoever listens for 'clientError' takes over from Node for all requests.
 */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    const last = lastOn(socket);
    if (last?.req.complete === true && socket.writable) {
      // The error is in what came after complete requests, and must not be taken for an answer to one of them.
      endPipeline(socket);
      return;
    }
    // This answer must neither follow one that has begun, nor overtake one that is due.
    if (!socket.writable || (last !== null && (last !== responseOn(socket) || last.headersSent))) {
      socket.destroy();
      return;
    }
    const [code, message] = WORDS[error.code ?? ''] ?? MALFORMED;
    socket.end(rawAnswer(code, message), () => socket.destroy());
  });
}
