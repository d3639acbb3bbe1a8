import type { CredentialText } from './credential-text.js';

/** What the header rules do with a field, by its name (RFC 9110 7.6.1 and the contract's own names). */
export enum Field {
  Other,
  Connection,
  /** Ends at each hop: dropped both ways. */
  HopByHop,
  Host,
  ContentLength,
  TransferEncoding,
  Te,
  Trailer,
  Expect,
  /** `X-Forwarded-*`, `X-Real-IP` and `Forwarded`: believed from trusted proxies only. */
  Forwarded,
  /** `X-Sandbox-*`: ours in both directions. */
  Sandbox,
  RequestId,
  ApiKey,
  Cookie,
  Location,
  SetCookie,
  /** `Access-Control-*`: of an app's answer; the proxy may speak in its place. */
  Cors,
}

const EXACT = new Map<string, Field>([
  ['connection', Field.Connection],
  ['keep-alive', Field.HopByHop],
  ['proxy-connection', Field.HopByHop],
  ['proxy-authenticate', Field.HopByHop],
  ['proxy-authorization', Field.HopByHop],
  ['proxy-authentication-info', Field.HopByHop],
  ['upgrade', Field.HopByHop],
  ['http2-settings', Field.HopByHop],
  ['host', Field.Host],
  ['content-length', Field.ContentLength],
  ['transfer-encoding', Field.TransferEncoding],
  ['te', Field.Te],
  ['trailer', Field.Trailer],
  ['expect', Field.Expect],
  ['forwarded', Field.Forwarded],
  ['x-request-id', Field.RequestId],
  ['x-api-key', Field.ApiKey],
  ['cookie', Field.Cookie],
  ['location', Field.Location],
  ['set-cookie', Field.SetCookie],
]);

/** Spellings met so far; bounded, since names come from clients. */
const known = new Map<string, Field>();
const KNOWN_MAX = 2_000;
/** The last name met of each length below this. */
const LENGTHS = 64;
const lastOfLength: { readonly name: string; readonly field: Field }[] = [];

/**
 * The kind of a field name in any letter case. An underscore counts as a hyphen for the names a spoofer would
 * use: CGI-style apps read `X_Forwarded_For` and `X-Forwarded-For` as one.
 */
export function fieldOf(name: string): Field {
  // Names come in the same few spellings: comparing with the last of this length is cheaper than hashing a new string.
  const last = lastOfLength[name.length];
  if (last !== undefined && last.name === name) return last.field;
  const field = known.get(name) ?? fieldOfNew(name);
  if (name.length < LENGTHS) lastOfLength[name.length] = { name, field };
  return field;
}

function fieldOfNew(name: string): Field {
  const lower = name.toLowerCase();
  const field = EXACT.get(lower) ?? familyOf(lower.replaceAll('_', '-'));
  if (known.size < KNOWN_MAX) known.set(name, field);
  return field;
}

function familyOf(name: string): Field {
  if (name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip') return Field.Forwarded;
  if (name.startsWith('x-sandbox-')) return Field.Sandbox;
  if (name.startsWith('access-control-')) return Field.Cors;
  if (name === 'x-api-key') return Field.ApiKey;
  if (name === 'x-request-id') return Field.RequestId;
  return Field.Other;
}

/**
 * The names that a Connection header lists, lower case, without those that only say how the connection goes on.
 * Null where there are none, which is nearly always.
 */
export function namedInConnection(value: string): string[] | null {
  if (value === 'keep-alive' || value === 'close' || value === 'Upgrade' || value === 'upgrade') return null;
  const names = value
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token !== 'keep-alive' && token !== 'close' && token !== 'upgrade');
  return names.length === 0 ? null : names;
}

/** Fields that mean nothing, or harm, in a trailer section (RFC 9110 6.5.1). */
const FORBIDDEN_IN_TRAILERS = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'max-forwards',
  'range',
  'set-cookie2',
  'www-authenticate',
  'x-request-id',
]);

/** The trailers that may be passed on, flat: framing, routing, credentials and our own names are dropped. */
export function passableTrailers(rawTrailers: readonly string[], credentials: CredentialText): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawTrailers.length; i += 2) {
    const name = rawTrailers[i] as string;
    const value = rawTrailers[i + 1] as string;
    if (
      fieldOf(name) !== Field.Other ||
      FORBIDDEN_IN_TRAILERS.has(name.toLowerCase()) ||
      credentials.isIn(value) ||
      credentials.isIn(name)
    )
      continue;
    kept.push(name, value);
  }
  return kept;
}
