import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ProxyError } from '../errors.js';
import { PROXY_ERROR_STATUS, type ProxyErrorCode, PROXY_RETRY_AFTER_SECONDS } from '../error-status.js';
import { closeInstead } from '../node-internals/destroy-soon.js';
import { adviceFor } from './error-advice.js';
import { type AgentError, agentErrorPage, errorPage, STYLE_SOURCE } from './error-page.js';

/** How much of a refused body is read and thrown away, so that a client that sends first gets its answer. */
const LINGER_BYTES = 262_144;
/** How long a connection is kept for that, milliseconds. */
const LINGER_MS = 1_000;

/** Set on a connection on which the last answer has been begun (RFC 9112 9.6). */
const CLOSING = Symbol('closing');

const SECURITY_HEADERS = [
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
  'Content-Security-Policy',
  `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Cross-Origin-Resource-Policy',
  'same-origin',
  'Referrer-Policy',
  'no-referrer',
] as const;

/**
 * The proxy's own answer: the error as JSON, or as a small page where a browser navigates. Returns its code.
 * An error that is no ProxyError is answered as `internal_error` and shows nothing of itself.
 *
 * @param more further headers, flat
 */
export function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  requestId: string,
  more: readonly string[] = [],
): ProxyErrorCode {
  const code = error instanceof ProxyError ? error.code : 'internal_error';
  const status = PROXY_ERROR_STATUS[code];
  const message = error instanceof ProxyError ? error.message : 'something went wrong inside the proxy';
  const fields = error instanceof ProxyError ? error.fields : {};
  const isPage = wantsPage(request);
  const body = isPage
    ? errorPage({ status, code, message, requestId, advice: adviceFor(code, fields), request })
    : JSON.stringify({ error: { code, message, requestId, ...fields } });
  const retryAfter = PROXY_RETRY_AFTER_SECONDS[code];
  const headers: string[] = [
    ...(isPage ? pageHeaders(body) : bodyHeaders('application/json; charset=utf-8', body)),
    'X-Sandbox-Error',
    `proxy;${code}`,
    'X-Request-Id',
    requestId,
  ];
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (status === 401) headers.push('WWW-Authenticate', 'ApiKey realm="sandbox", header="X-API-Key"');
  send(request, response, status, [...headers, ...more], body);
  return code;
}

/** The page in the place of an agent's own error, for a browser that navigates; the agent's mark stays. */
export function answerAgentError(
  request: IncomingMessage,
  response: ServerResponse,
  error: AgentError,
): void {
  const page = agentErrorPage(error);
  const mark = ['X-Sandbox-Error', `agent;${error.code}`, 'X-Request-Id', error.requestId];
  send(request, response, error.status, [...pageHeaders(page), ...mark], page);
}

/** An answer of the proxy's own that is no error and has no body: a redirect, or to a preflight. */
export function answerBare(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  requestId: string,
  headers: readonly string[],
): void {
  const length = status === 204 ? [] : ['Content-Length', '0'];
  const own = ['Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer', 'X-Request-Id', requestId];
  send(request, response, status, [...headers, ...length, ...own], '');
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: string[],
  body: string,
): void {
  closeAfterAnswer(request, response);
  discardRest(request);
  response.writeHead(status, headers);
  response.end(body);
}

/**
 * Where the request has not come in whole, the connection cannot be used again: says so to the client, and closes
 * it after the answer. To be called before the head is written.
 */
export function closeAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (!hasUnreadBody(request)) return;
  const socket: Socket & { [CLOSING]?: boolean } = request.socket;
  response.shouldKeepAlive = false;
  socket[CLOSING] = true;
  closeInstead(socket, closeGently);
}

/** True once an answer on the connection has said that it is the last: what comes behind it is not to be executed. */
export function isClosing(socket: Socket & { [CLOSING]?: boolean }): boolean {
  return socket[CLOSING] === true;
}

/** Reads on for a moment, so that a client that sends before it reads gets its answer, but not to the end as Node would. */
export function discardRest(request: IncomingMessage): void {
  if (!hasUnreadBody(request)) return;
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LINGER_BYTES) request.pause();
  });
  request.resume();
}

/** True while body bytes of the request may still come. */
export function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Sends what is left and a FIN, and waits a moment for the client's own: a reset could overtake the answer. */
export function closeGently(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}

/** The headers that every page needs, flat: all but those that say what error it is of which request. */
export function pageHeaders(page: string): string[] {
  return [...bodyHeaders('text/html; charset=utf-8', page), 'Vary', 'Accept, Sec-Fetch-Mode'];
}

function bodyHeaders(type: string, body: string): string[] {
  return ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(body)), ...SECURITY_HEADERS];
}

/**
 * A browser that navigates; never an API client, an asset, or an upgrade. A client that does not say in which mode
 * it asks has to name HTML; of one that navigates it is enough that it takes HTML. Who names JSON first gets JSON.
 */
export function wantsPage({ headers }: IncomingMessage): boolean {
  const mode = headers['sec-fetch-mode'];
  if (headers.upgrade !== undefined || (mode !== undefined && mode !== 'navigate')) return false;
  const accept = headers.accept ?? '*/*';
  const html = accept.search(mode === 'navigate' ? /text\/html|text\/\*|\*\/\*/ : /text\/html/);
  if (html === -1) return false;
  const json = accept.indexOf('application/json');
  return json === -1 || html < json;
}
