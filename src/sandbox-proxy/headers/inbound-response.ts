import { corsHeaders, type CorsRule } from './cors.js';
import { Field, fieldOf } from './field-names.js';
import { withoutAgentPrefix } from './location.js';
import type { OwnCookies } from './own-cookies.js';
import { connectionNames } from './outbound-request.js';
import { allowedOriginForClient, locationForClient, type OwnPages } from './own-pages.js';
import { narrowSetCookie } from './set-cookie.js';

/** What the rules read of a response. */
export interface AgentResponse {
  readonly status: number;
  /** Flat [name, value, …], latin1. */
  readonly rawHeaders: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
}

/** What the response rules need to know of the request. */
export interface ResponseContext {
  /** `/proxy/{id}/{port}`, which agents put in front of the paths of redirects. */
  readonly prefix: string;
  /** The agent's own `address:port`. */
  readonly authority: string;
  /** The sandbox's own host name, the widest domain that its cookies may have. */
  readonly hostname: string;
  /** False for an HTTP/1.0 client, which can read neither chunks nor trailers. */
  readonly clientTakesChunks: boolean;
  /** If not null, the proxy decides which pages may read the answer, and the app's own CORS headers do not pass. */
  readonly cors: CorsRule | null;
  readonly cookies: OwnCookies;
  /** The sandbox's own pages, where its app sees them as `http://localhost:{port}`; null: as they are. */
  readonly pages: OwnPages | null;
  /** The request's `Origin`. */
  readonly origin: string | undefined;
  /** For the client's `X-Request-Id`, unless the app sent its own. */
  readonly requestId: string;
}

const AGENT_ERROR = /^agent;([a-z][a-z0-9_]{0,63})$/;

/** The code in `X-Sandbox-Error`, if the agent itself wrote this answer; null for an app's answer. */
export function agentErrorCode(head: AgentResponse): string | null {
  if (head.status < 400) return null;
  const { rawHeaders } = head;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.length === 15 && rawHeaders[i]?.toLowerCase() === 'x-sandbox-error') {
      return AGENT_ERROR.exec(rawHeaders[i + 1] as string)?.[1] ?? null;
    }
  }
  return null;
}

/** True if the 101 names the protocol that it switches to, and the client had offered that (RFC 9110 7.8). */
export function isProtocolOffered({ rawHeaders }: AgentResponse, offered: string): boolean {
  const offers = protocolsOf(offered);
  const chosen: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'upgrade') chosen.push(...protocolsOf(rawHeaders[i + 1] as string));
  }
  return chosen.length > 0 && chosen.every((protocol) => offers.includes(protocol));
}

function protocolsOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((protocol) => protocol.trim());
}

/**
 * The header fields for the client, flat. Fields that pass keep their order, duplicates and bytes. Hop-by-hop fields and
 * `X-Sandbox-*` do not pass, except the `X-Sandbox-Error` of an agent's own error. `Location` loses the agent's prefix, and
 * names the sandbox as it is seen from outside, as `Access-Control-Allow-Origin` does. `Set-Cookie` loses a domain that is too wide. `Content-Length` passes only where it frames or describes the body.
 */
export function clientHeaders(head: AgentResponse, context: ResponseContext): string[] {
  const { rawHeaders } = head;
  const { pages } = context;
  const dropped = connectionNames(rawHeaders);
  const kept: string[] = [];
  let hasRequestId = false;
  let variesByOrigin = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    let value = rawHeaders[i + 1] as string;
    switch (fieldOf(name)) {
      case Field.Connection:
      case Field.HopByHop:
      case Field.TransferEncoding:
      case Field.Te:
        continue;
      case Field.ContentLength:
        if (head.status >= 200 && head.status !== 204) kept.push(name, value);
        continue;
      case Field.Trailer:
        if (head.framing !== 'chunked' || !context.clientTakesChunks) continue;
        break;
      case Field.Sandbox:
        if (head.status < 400 || name.toLowerCase() !== 'x-sandbox-error' || !AGENT_ERROR.test(value))
          continue;
        break;
      case Field.Cors:
        if (context.cors !== null && name.toLowerCase() !== 'access-control-expose-headers') continue;
        if (pages !== null && name.toLowerCase() === 'access-control-allow-origin') {
          const allowed = allowedOriginForClient(value, context.origin, pages);
          variesByOrigin ||= allowed !== value || pages.app.parse(value, 0) !== null;
          if (allowed === null) continue;
          value = allowed;
        }
        break;
      case Field.RequestId:
        hasRequestId ||= name.toLowerCase() === 'x-request-id' && dropped?.has('x-request-id') !== true;
        break;
      case Field.Location:
        value = withoutAgentPrefix(value, context.prefix, context.authority);
        if (pages !== null) value = locationForClient(value, pages);
        break;
      case Field.SetCookie: {
        const cookie = narrowSetCookie(value, context.hostname, context.cookies);
        if (cookie === null) continue;
        value = cookie;
        break;
      }
      default:
        break;
    }
    if (dropped !== null && dropped.has(name.toLowerCase())) continue;
    kept.push(name, value);
  }
  if (context.cors !== null) kept.push(...corsHeaders(context.cors));
  if (variesByOrigin && !variesBy(kept, 'origin')) kept.push('Vary', 'Origin');
  if (!hasRequestId && (head.status >= 200 || head.status === 101))
    kept.push('X-Request-Id', context.requestId);
  return kept;
}

/** Whether a `Vary` among these fields names this one, lower case, or all of them. */
function variesBy(headers: readonly string[], field: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'vary') continue;
    const named = (headers[i + 1] as string).toLowerCase().split(',');
    if (named.some((name) => name.trim() === field || name.trim() === '*')) return true;
  }
  return false;
}
