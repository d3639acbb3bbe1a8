import { STATUS_CODES } from 'node:http';
import { PROXY_ERROR_STATUS, PROXY_RETRY_AFTER_SECONDS, type ProxyErrorCode } from '../error-status.js';
import { newRequestId } from '../exchange/request-ids.js';

/** An error as the bytes of a whole answer, for a connection without a response. The connection is to be closed after it. */
export function rawAnswer(code: ProxyErrorCode, message: string): string {
  const status = PROXY_ERROR_STATUS[code];
  const requestId = newRequestId();
  const body = JSON.stringify({ error: { code, message, requestId } });
  const retryAfter = PROXY_RETRY_AFTER_SECONDS[code];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Sandbox-Error: proxy;${code}`,
    `X-Request-Id: ${requestId}`,
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
