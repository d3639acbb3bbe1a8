import type { IncomingMessage } from 'node:http';
import type { PortRules } from '../contracts/port-settings.js';

/** For how long a browser may go by the answer to a preflight, seconds. */
const MAX_AGE_SECONDS = 600;

/** Where the proxy answers for the app which pages may read it: the origin of this request, or null where it may not. */
export interface CorsRule {
  readonly allowedOrigin: string | null;
}

/**
 * Null where CORS is the app's own business.
 *
 * @param cors what the team has said of the port; undefined: nothing
 * @param origin of the request, if it has one
 */
export function corsRule(cors: PortRules['cors'] | undefined, origin: string | undefined): CorsRule | null {
  if (cors === undefined || cors === 'app') return null;
  return { allowedOrigin: origin !== undefined && cors.includes(origin) ? origin : null };
}

/** What a browser sends ahead of a request, without any credential (Fetch 3.2.2). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/** What lets the pages of the allowed origin read an answer, flat; and no cache mixes it up with another's. */
export function corsHeaders({ allowedOrigin }: CorsRule): string[] {
  if (allowedOrigin === null) return ['Vary', 'Origin'];
  return [
    'Access-Control-Allow-Origin',
    allowedOrigin,
    'Access-Control-Allow-Credentials',
    'true',
    'Vary',
    'Origin',
  ];
}

/** The answer to a preflight of an origin that is allowed, flat. */
export function preflightHeaders(origin: string, { headers }: IncomingMessage): string[] {
  const wanted = headers['access-control-request-headers'];
  return [
    ...corsHeaders({ allowedOrigin: origin }),
    'Access-Control-Allow-Methods',
    headers['access-control-request-method'] as string,
    ...(wanted === undefined ? [] : ['Access-Control-Allow-Headers', String(wanted)]),
    'Access-Control-Max-Age',
    String(MAX_AGE_SECONDS),
    'Vary',
    'Access-Control-Request-Method, Access-Control-Request-Headers',
  ];
}
