import type { IncomingMessage } from 'node:http';
import { InvalidRequestError } from '../errors.js';
import type { FoundCredential } from '../contracts/credential-scheme.js';
import { Field, fieldOf, namedInConnection } from './field-names.js';
import type { HeaderPolicy } from './header-policy.js';
import { type OwnPages, originForApp, refererForApp, withoutLink } from './own-pages.js';

/** How the body is framed: as it came. */
export type RequestFraming = 'none' | 'length' | 'chunked';

/**
 * How a request's body is framed: as it came, on every method, and never by the method's name
 * (CVE-2026-29057: a DELETE whose chunks lost their framing became the next request).
 *
 * @throws InvalidRequestError for a transfer coding that the proxy does not know
 */
export function framingOf(request: IncomingMessage): RequestFraming {
  const coding = request.headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked' || request.httpVersionMinor === 0) {
      throw new InvalidRequestError('this Transfer-Encoding is not supported: only "chunked", in HTTP/1.1');
    }
    return 'chunked';
  }
  return request.headers['content-length'] === undefined ? 'none' : 'length';
}

/** What the head of the outbound request is made of. */
export interface OutboundHead {
  readonly method: string;
  /** `/proxy/{id}/{port}{path}?{query}`. */
  readonly target: string;
  /** The agent's own `address:port`, for the Host header. */
  readonly authority: string;
  /** As received: flat [name, value, …], latin1. */
  readonly rawHeaders: readonly string[];
  readonly framing: RequestFraming;
  /** True if `X-Forwarded-*` of the peer are believed. */
  readonly isPeerTrusted: boolean;
  readonly peerAddress: string;
  /** The Host header as it came. */
  readonly host: string;
  /** The sandbox's own pages, where its app sees them as `http://localhost:{port}`; null: as they are. */
  readonly pages: OwnPages | null;
  /** The address of the app as seen from outside: `https://3000-cl-….example.com`. */
  readonly externalOrigin: string;
  readonly requestId: string;
  /** The protocols of an upgrade, e.g. `websocket`; null for a plain request. */
  readonly upgrade: string | null;
  /** True if an `Expect` header is passed on; an HTTP/1.0 client's is not. */
  readonly keepsExpect: boolean;
  /** The credential that admitted the request, which is not passed on; null: there was none. */
  readonly consumed: FoundCredential | null;
}

/**
 * The head of the request to the agent, ready to be written as latin1. Fields that pass keep their order, duplicates,
 * letter case and bytes. These do not pass: hop-by-hop fields (RFC 9110 7.6.1) and those that `Connection` names, our
 * credentials, and fields that only the proxy may set (`X-Forwarded-*`, `X-Sandbox-*`, `X-Request-Id`).
 *
 * An app compares `Origin` with `Host` and with `X-Forwarded-Host` and `-Proto`, so all of them tell it the same.
 */
export function outboundHead(
  request: OutboundHead,
  { credentials, cookies, agentToken }: HeaderPolicy,
): string {
  const { rawHeaders, isPeerTrusted, pages } = request;
  const consumedIn = request.consumed?.header ?? '';
  const secret = request.consumed?.secret ?? '';
  const dropped = connectionNames(rawHeaders);
  let head = `${request.method} ${request.target} HTTP/1.1\r\nHost: ${request.authority}\r\n`;
  let forwardedFor = '';
  let hasForwardedHost = false;
  let hasForwardedProto = false;
  let mayUseGradio = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    let value = rawHeaders[i + 1] as string;
    switch (fieldOf(name)) {
      case Field.Other:
        break;
      case Field.Cookie: {
        const kept = cookies.strip(value, consumedIn === 'cookie' ? secret : '');
        if (kept === null) continue;
        value = kept;
        break;
      }
      case Field.ApiKey:
        if (credentials.resembles(value)) continue;
        break;
      case Field.ContentLength:
        if (request.framing === 'length') head += `${name}: ${value}\r\n`;
        continue;
      case Field.TransferEncoding:
        if (request.framing === 'chunked') head += `${name}: chunked\r\n`;
        continue;
      case Field.Te:
        if (/(^|,)\s*trailers\s*(,|$)/i.test(value)) head += 'TE: trailers\r\n';
        continue;
      case Field.Trailer:
        if (request.framing !== 'chunked') continue;
        break;
      case Field.Expect:
        if (!request.keepsExpect) continue;
        break;
      case Field.Forwarded: {
        if (!isPeerTrusted) continue;
        const lower = name.toLowerCase();
        if (credentials.isIn(value)) continue;
        if (lower === 'x-forwarded-for') {
          forwardedFor += forwardedFor === '' ? value : `, ${value}`;
          continue;
        }
        if (pages !== null && TELLS_ADDRESS.test(lower)) continue;
        if (lower === 'x-forwarded-host') hasForwardedHost = true;
        if (lower === 'x-forwarded-proto') hasForwardedProto = true;
        break;
      }
      case Field.Origin: {
        const origin = pages === null ? value : originForApp(value, pages);
        if (origin === null) continue;
        value = origin;
        break;
      }
      case Field.Referer: {
        const referer = pages === null ? withoutLink(value) : refererForApp(value, pages);
        if (referer === null) continue;
        value = referer;
        break;
      }
      case Field.UserAgent:
        mayUseGradio = MAY_USE_GRADIO.test(value);
        break;
      case Field.Location:
      case Field.SetCookie:
      case Field.Cors:
        break;
      default:
        continue;
    }
    if (
      name.length === consumedIn.length &&
      consumedIn !== 'cookie' &&
      name.toLowerCase() === consumedIn &&
      value.includes(secret)
    )
      continue;
    if (credentials.isIn(value) || credentials.isIn(name)) continue;
    if (dropped !== null && dropped.has(name.toLowerCase())) continue;
    head += `${name}: ${value}\r\n`;
  }
  const chain = forwardedFor === '' ? request.peerAddress : `${forwardedFor}, ${request.peerAddress}`;
  head += `X-Forwarded-For: ${chain}\r\n`;
  if (pages === null) {
    if (!hasForwardedHost) head += `X-Forwarded-Host: ${request.host}\r\n`;
    if (!hasForwardedProto)
      head += `X-Forwarded-Proto: ${request.externalOrigin.startsWith('https') ? 'https' : 'http'}\r\n`;
    head += 'X-Sandbox-App-Host: external\r\n';
  } else if (mayUseGradio) {
    // It writes its own address into its page, by this header or by Host.
    head += `X-Gradio-Server: ${request.externalOrigin}\r\n`;
  }
  head += `X-Request-Id: ${request.requestId}\r\nX-Sandbox-Url: ${request.externalOrigin}\r\n`;
  if (agentToken !== null) head += `X-Sandbox-Agent-Token: ${agentToken}\r\n`;
  if (request.upgrade !== null && credentials.isIn(request.upgrade)) {
    throw new InvalidRequestError('the Upgrade header holds a credential');
  }
  if (request.upgrade !== null) head += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
  return `${head}\r\n`;
}

/** What would tell the app another address than the one that it sees. */
const TELLS_ADDRESS = /^(?:x[-_])?forwarded(?:$|[-_](?:host|proto|protocol|port|scheme|ssl|server)$)/;

/** Browsers and Gradio's own client. */
const MAY_USE_GRADIO = /^(?:Mozilla|gradio_client)\//;

/** All field names that Connection headers list, lower case; null if there are none. */
export function connectionNames(rawHeaders: readonly string[]): ReadonlySet<string> | null {
  let names: Set<string> | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 10 || fieldOf(name) !== Field.Connection) continue;
    const more = namedInConnection(rawHeaders[i + 1] as string);
    if (more === null) continue;
    names ??= new Set();
    for (const each of more) names.add(each);
  }
  return names;
}
