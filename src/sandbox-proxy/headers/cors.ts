import type { IncomingMessage } from 'node:http';
import type { PortRules } from '../contracts/port-settings.js';

/** How long a browser may remember the answer to a preflight, seconds. */
const MAX_AGE_SECONDS = 600;

/** Whether the page that sent the request may read the answer, where the proxy decides that and not the app. */
export interface CorsRule {
  /** The origin of the request; null where its pages may not read the answer. */
  readonly allowedOrigin: string | null;
}

/**
 * Null where CORS is left to the app.
 *
 * @param cors what the team has set for the port
 * @param origin of the request, if it has one
 */
export function corsRule(cors: PortRules['cors'], origin: string | undefined): CorsRule | null {
  if (cors === 'app') return null;
  return { allowedOrigin: origin !== undefined && cors.includes(origin) ? origin : null };
}

/** True for what a browser sends before a request to ask whether it may, without any credential (Fetch 3.2.2). */
export function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/** The headers that let pages of the allowed origin read an answer, flat; `Vary` keeps caches from mixing up origins. */
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

/** The headers that answer a preflight of an allowed origin, flat. */
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
