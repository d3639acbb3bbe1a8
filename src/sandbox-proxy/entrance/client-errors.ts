import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { PROXY_ERROR_STATUS, type ProxyErrorCode } from '../error-status.js';
import { newRequestId } from '../exchange/request-ids.js';
import { responseOn } from '../node-internals/response-on-socket.js';
import { endPipeline, lastOn } from './pipeline.js';

const WORDS: Readonly<Record<string, readonly [code: ProxyErrorCode, reason: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    'headers_too_large',
    'Request Header Fields Too Large',
    'the head of the request is larger than this server takes',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    'request_timeout',
    'Request Timeout',
    'the request did not come in whole in time',
  ],
};
const MALFORMED = ['invalid_request', 'Bad Request', 'the request is not valid HTTP/1.1'] as const;

/**
 * Answers requests that cannot be read, as Node does by itself, in words and with a code of ours. For a listener of our
 * own: by listening for 'clientError' one takes over from Node for all requests.
 */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    const last = lastOn(socket);
    if (last?.req.complete === true && socket.writable) {
      // It is about what came behind, and no answer to those before.
      endPipeline(socket);
      return;
    }
    // An answer that has begun cannot be followed by another, nor be overtaken by one.
    if (!socket.writable || (last !== null && (last !== responseOn(socket) || last.headersSent))) {
      socket.destroy();
      return;
    }
    const [code, reason, message] = WORDS[error.code ?? ''] ?? MALFORMED;
    const requestId = newRequestId();
    const body = JSON.stringify({ error: { code, message, requestId } });
    const head = [
      `HTTP/1.1 ${PROXY_ERROR_STATUS[code]} ${reason}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `X-Sandbox-Error: proxy;${code}`,
      `X-Request-Id: ${requestId}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  });
}
