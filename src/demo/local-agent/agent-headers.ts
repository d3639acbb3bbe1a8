import type { IncomingMessage } from 'node:http';
import { type AgentTarget, prefixLocation } from './agent-target.js';

/** Names and values in turn, as in `IncomingMessage.rawHeaders`: order, case and duplicates are the sender's. */
export type RawHeaders = string[];

/** Headers that are for one connection only (RFC 9110 7.6.1). `Proxy-*` as in RFC 2616 13.5.1. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 6.5.1: a trailer must not change framing or routing. */
const NOT_IN_TRAILERS = new Set([...HOP_BY_HOP, 'content-length', 'host', 'trailer']);

const WITHOUT_BODY_BY_DEFAULT = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

/** Every value of a header, given in lower case, as it was sent. */
export function valuesOf(message: IncomingMessage, wanted: string): string[] {
  return pairs(message.rawHeaders).flatMap(([name, value]) => (name.toLowerCase() === wanted ? value : []));
}

/** True when the message declares a body, even one of unknown length. */
export function declaresBody(message: IncomingMessage): boolean {
  return message.headers['transfer-encoding'] !== undefined || Number(message.headers['content-length']) > 0;
}

/** The one `X-Sandbox-*` header for apps: the address of the app as seen from outside. */
const FOR_APPS = 'x-sandbox-url';

/**
 * The request headers for the app: without hop-by-hop headers, with the framing, of `X-Sandbox-*` only `X-Sandbox-Url`,
 * and with `Host: localhost:{port}` (as in browsers, without the port 80), because development servers refuse names that they do not know. With
 * `X-Sandbox-App-Host: external`, `Host` is the name that the client used, from `X-Forwarded-Host`.
 */
export function requestHeaders(inbound: IncomingMessage, port: number, isUpgrade: boolean): RawHeaders {
  const isExternal = inbound.headers['x-sandbox-app-host'] === 'external';
  const local = port === 80 ? 'localhost' : `localhost:${port}`;
  const host = (isExternal && inbound.headers['x-forwarded-host']) || local;
  const headers: RawHeaders = ['Host', String(host)];
  for (const [name, value] of endToEnd(inbound)) {
    const lower = name.toLowerCase();
    if (lower === 'host' || (lower.startsWith('x-sandbox-') && lower !== FOR_APPS)) continue;
    headers.push(name, value);
  }
  const { te, upgrade } = inbound.headers;
  if (/\btrailers\b/i.test(String(te))) headers.push('TE', 'trailers');
  if (isUpgrade) headers.push('Connection', 'Upgrade', 'Upgrade', upgrade ?? '');
  // By itself Node would announce keep-alive for a request with a body.
  else headers.push('Connection', 'close');
  const isFramed = ['content-length', 'transfer-encoding'].some((name) => name in inbound.headers);
  // Node would send `Transfer-Encoding: chunked` with every POST without a length.
  if (!isFramed && !WITHOUT_BODY_BY_DEFAULT.has(inbound.method ?? 'GET')) headers.push('Content-Length', '0');
  return headers;
}

/**
 * The response headers for the control plane: without hop-by-hop headers and `X-Sandbox-*`, and with the prefix in
 * `Location`.
 */
export function responseHeaders(answer: IncomingMessage, target: AgentTarget): RawHeaders {
  const headers: RawHeaders = [];
  const isBodiless = answer.statusCode === 204 || answer.statusCode === 304;
  for (const [name, value] of endToEnd(answer)) {
    const lower = name.toLowerCase();
    if (lower.startsWith('x-sandbox-')) continue;
    if (isBodiless && (lower === 'transfer-encoding' || lower === 'trailer')) continue;
    if (lower === 'content-length' && answer.statusCode === 204) continue;
    headers.push(name, lower === 'location' ? prefixLocation(value, target) : value);
  }
  return headers;
}

/** The app's trailers without those that RFC 9110 6.5.1 forbids and without `X-Sandbox-*`. */
export function trailers(message: IncomingMessage): [string, string][] {
  return pairs(message.rawTrailers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !NOT_IN_TRAILERS.has(lower) && !lower.startsWith('x-sandbox-');
  });
}

/** The head of an interim answer or a 101, ready to be written as latin1. */
export function formatHead(status: number, message: string, headers: RawHeaders): string {
  const lines = pairs(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${message}\r\n${lines.join('')}\r\n`;
}

/** A message's headers without hop-by-hop ones. Of the two framing headers, the one that counts is kept. */
function endToEnd(message: IncomingMessage): [string, string][] {
  const named = (message.headers.connection ?? '').toLowerCase().split(',');
  const dropped = new Set([...HOP_BY_HOP, ...named.map((name) => name.trim())]);
  const isChunked = message.headers['transfer-encoding'] !== undefined;
  dropped.delete(isChunked ? 'transfer-encoding' : 'content-length');
  // Content-Length together with Transfer-Encoding is used to smuggle requests (RFC 9112 6.1); Trailer needs chunks.
  dropped.add(isChunked ? 'content-length' : 'trailer');
  return pairs(message.rawHeaders).filter(([name]) => !dropped.has(name.toLowerCase()));
}

function pairs(raw: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([raw[i] as string, raw[i + 1] as string]);
  return list;
}
