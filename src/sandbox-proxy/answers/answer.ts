import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { type ErrorFields, ProxyError, SessionEndedError } from '../errors.js';
import type { Exchange } from '../exchange/exchange.js';
import { corsHeaders } from '../headers/cors.js';
import { closeInstead } from '../node-internals/destroy-soon.js';
import { PROXY_ERROR_STATUS, type ProxyErrorCode, PROXY_RETRY_AFTER_SECONDS } from '../error-status.js';
import { adviceFor, type ErrorAdvice } from './error-advice.js';
import { agentErrorPage, confirmationPage, errorPage, SCRIPT_SOURCE, STYLE_SOURCE } from './error-page.js';
import { OPENING_SOURCE, openingPage, type OpeningWay } from './opening-page.js';

const logger = new Logger('SandboxProxy');

/**
 * How much of a refused body is read and discarded, so that a client that sends everything before it reads gets its
 * answer.
 */
const LINGER_BYTES = 262_144;
/** How long a connection is kept open for that, milliseconds. */
const LINGER_MS = 1_000;

/** Set on a connection whose last answer has begun (RFC 9112 9.6). */
const CLOSING = Symbol('closing');

/** For every page: it loads nothing but its own style. */
const OWN_STYLE_ONLY = `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'`;
/** For those of errors: a script of their own too, which asks for the page itself. */
const OWN_PARTS_ONLY = `${OWN_STYLE_ONLY}; script-src ${SCRIPT_SOURCE}; connect-src 'self'; form-action 'none'`;

const SECURITY_HEADERS = [
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
  'Cross-Origin-Resource-Policy',
  'same-origin',
  'Referrer-Policy',
  'no-referrer',
] as const;

/** Those options that decide the wording of the proxy's own answers. */
export interface Wording {
  /** What pages call the platform; `''`: nothing. */
  readonly brand: string;
  /** By code: the advice of pages, in place of the module's own. */
  readonly advice: Readonly<Partial<Record<string, string>>>;
}

/**
 * Answers an error, as JSON or as a page, unless an answer has begun or the client has left. An error that is not a
 * ProxyError is logged and answered as `internal_error`, without any detail.
 */
export function answerFailure(exchange: Exchange, error: unknown, wording: Wording): void {
  const { request, response, requestId } = exchange;
  if (!(error instanceof ProxyError)) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    logger.error(`proxying ${requestId} failed: ${name}: ${message}`);
    logger.debug(`where ${requestId} failed: ${stack}`);
  }
  if (response.headersSent || request.socket.destroyed) {
    exchange.errorCode ??= 'client_closed';
    return;
  }
  const code = error instanceof ProxyError ? error.code : 'internal_error';
  const message = error instanceof ProxyError ? error.message : 'something went wrong inside the proxy';
  const fields = error instanceof ProxyError ? error.fields : {};
  const status = PROXY_ERROR_STATUS[code];
  exchange.errorCode = code;
  exchange.status = status;
  exchange.failure = error instanceof Error ? failureOf(error) : null;
  const isPage = wantsPage(request);
  const mayBeFramed = exchange.mayBeFramed || (error instanceof SessionEndedError && error.mayBeFramed);
  const body = isPage
    ? errorPage({
        status,
        code,
        message,
        requestId,
        advice: adviceOf(code, fields, wording),
        request,
        brand: wording.brand,
      })
    : JSON.stringify({ error: { code, message, requestId, ...fields } });
  const retryAfter = PROXY_RETRY_AFTER_SECONDS[code];
  const headers: string[] = [
    ...(isPage ? pageHeaders(body, mayBeFramed) : bodyHeaders('application/json; charset=utf-8', body)),
    'X-Sandbox-Error',
    `proxy;${code}`,
    'X-Request-Id',
    requestId,
  ];
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter));
  if (status === 401) headers.push('WWW-Authenticate', 'ApiKey realm="sandbox", header="X-API-Key"');
  // A page that may read the app's answers may read this one too.
  if (exchange.cors !== null) headers.push(...corsHeaders(exchange.cors));
  send(request, response, status, headers, body);
}

/** Answers a browser that navigates with a page instead of the agent's own error; the agent's `X-Sandbox-Error` stays. */
export function answerAgentError(exchange: Exchange, status: number, code: string, wording: Wording): void {
  const { request, response, requestId } = exchange;
  exchange.status = status;
  const page = agentErrorPage({
    code,
    status,
    port: exchange.port ?? 0,
    requestId,
    request,
    brand: wording.brand,
  });
  const mark = ['X-Sandbox-Error', `agent;${code}`, 'X-Request-Id', requestId];
  send(request, response, status, [...pageHeaders(page, exchange.mayBeFramed), ...mark], page);
}

/** An answer of the proxy that is not an error and has no body: a redirect, or the answer to a preflight. */
export function answerBare(exchange: Exchange, status: number, headers: readonly string[]): void {
  const { request, response, requestId } = exchange;
  exchange.status = status;
  const length = status === 204 ? [] : ['Content-Length', '0'];
  const own = ['Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer', 'X-Request-Id', requestId];
  send(request, response, status, [...headers, ...length, ...own], '');
}

/** Answers the page that asks whether a link for one browser should be used up here. */
export function answerConfirmation(exchange: Exchange, brand: string): void {
  // With `no-referrer`, the Origin of the form's POST would be `null`.
  answerPage(exchange, confirmationPage(brand), `${OWN_STYLE_ONLY}; form-action 'self'`, 'same-origin');
}

/** Answers the page that begins a session at the other ports of a link, and then goes on. @param cookie header, flat */
export function answerOpening(
  exchange: Exchange,
  brand: string,
  cookie: readonly string[],
  way: OpeningWay,
): void {
  const origins = way.exchanges.map((url) => new URL(url).origin).join(' ');
  const policy = `${OWN_STYLE_ONLY}; script-src ${OPENING_SOURCE}; connect-src ${origins}; form-action 'none'`;
  answerPage(exchange, openingPage(brand, way), policy, 'no-referrer', cookie);
}

/** A page of a link. It may be framed: whoever frames it has the token, and links with `embed` are opened in frames. */
function answerPage(
  exchange: Exchange,
  page: string,
  policy: string,
  referrerPolicy: string,
  more: readonly string[] = [],
): void {
  const { request, response, requestId } = exchange;
  exchange.status = 200;
  const headers = [
    'Content-Type',
    'text/html; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(page)),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    'Content-Security-Policy',
    policy,
    'Referrer-Policy',
    referrerPolicy,
    'X-Request-Id',
    requestId,
  ];
  send(request, response, 200, [...more, ...headers], page);
}

/** The short name of what went wrong below an error, e.g. `ECONNREFUSED`: never a message, which may hold an address. */
function failureOf(error: Error): string | null {
  let cause: unknown = error.cause;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  if (!(cause instanceof Error)) return null;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}

function adviceOf(code: ProxyErrorCode, fields: ErrorFields, wording: Wording): ErrorAdvice {
  const advice = adviceFor(code, fields);
  const own = wording.advice[code];
  return own === undefined ? advice : { ...advice, advice: own };
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
 * If the request has not come in whole, the connection cannot be used again: tells the client so, and closes it after the
 * answer. To be called before the head is written.
 */
export function closeAfterAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (hasUnreadBody(request)) makeLast(request, response);
}

/** Closes the connection after this answer; what the client sends after this request is not executed. */
export function makeLast(request: IncomingMessage, response: ServerResponse): void {
  const socket: Socket & { [CLOSING]?: boolean } = request.socket;
  response.shouldKeepAlive = false;
  markClosing(socket);
  closeInstead(socket, closeGently);
}

/** From now on no further request on the connection is executed. */
export function markClosing(socket: Socket & { [CLOSING]?: boolean }): void {
  socket[CLOSING] = true;
}

/** True once an answer on the connection has said that it is the last: later requests must not be executed. */
export function isClosing(socket: Socket & { [CLOSING]?: boolean }): boolean {
  return socket[CLOSING] === true;
}

/**
 * Reads on for a moment, so that a client that sends everything before it reads gets its answer, but not to the end of the
 * body, as Node would.
 */
export function discardRest(request: IncomingMessage): void {
  if (!hasUnreadBody(request)) return;
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > LINGER_BYTES) request.pause();
  });
  request.resume();
}

/** True while bytes of the request's body may still come. */
export function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Sends what is left and a FIN, and waits a moment for the client's FIN: a reset could overtake the answer. */
export function closeGently(socket: Socket): void {
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
}

/**
 * The headers of every page, flat, without those that name the error and the request.
 *
 * @param mayBeFramed whether pages of other origins may show the sandbox in a frame, and so this page too
 */
export function pageHeaders(page: string, mayBeFramed = false): string[] {
  return [...bodyHeaders('text/html; charset=utf-8', page, mayBeFramed), 'Vary', 'Accept, Sec-Fetch-Mode'];
}

function bodyHeaders(type: string, body: string, mayBeFramed = false): string[] {
  const length = String(Buffer.byteLength(body));
  const policy = mayBeFramed ? OWN_PARTS_ONLY : `${OWN_PARTS_ONLY}; frame-ancestors 'none'`;
  return [
    'Content-Type',
    type,
    'Content-Length',
    length,
    'Content-Security-Policy',
    policy,
    ...SECURITY_HEADERS,
  ];
}

/**
 * True for a browser that navigates; never for an API client, an asset, or an upgrade. A client without
 * `Sec-Fetch-Mode` has to name HTML in `Accept`; for one that navigates, a wildcard is enough. If JSON comes before
 * HTML, the answer is JSON.
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
