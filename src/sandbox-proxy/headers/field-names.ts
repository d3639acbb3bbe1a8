import type { CredentialText } from './credential-text.js';

/** Kinds of header fields, by name: those that the header rules treat alike (RFC 9110 7.6.1, and names of our own). */
export enum Field {
  Other,
  Connection,
  /** For one connection only: dropped both ways. */
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
  Origin,
  Referer,
  UserAgent,
  Location,
  SetCookie,
  /** `Access-Control-*` of an app's answer, which the proxy may replace by its own. */
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
  ['origin', Field.Origin],
  ['referer', Field.Referer],
  ['user-agent', Field.UserAgent],
  ['location', Field.Location],
  ['set-cookie', Field.SetCookie],
]);

interface Spelling {
  readonly name: string;
  readonly field: Field;
}

/** Spellings seen so far; bounded in number and length, since names come from clients and apps. */
const known = new Map<string, Spelling>();
const KNOWN_MAX = 2_000;
/** Names of this length or longer are not kept. */
const LENGTHS = 64;
/** The last name seen of each length. */
const lastOfLength: Spelling[] = [];

/**
 * The kind of a field name, in any letter case. For names that somebody could forge, an underscore counts as a hyphen:
 * CGI-style apps read `X_Forwarded_For` and `X-Forwarded-For` as the same.
 */
export function fieldOf(name: string): Field {
  if (name.length >= LENGTHS) return fieldOfNew(name);
  // The same few spellings come again and again, and comparing with the last one of this length is cheaper than hashing.
  const last = lastOfLength[name.length];
  if (last !== undefined && last.name === name) return last.field;
  const spelling = known.get(name) ?? keep(name);
  lastOfLength[name.length] = spelling;
  return spelling.field;
}

function keep(name: string): Spelling {
  // A slice of a head would keep the whole head in memory.
  const copy = Buffer.from(name, 'latin1').toString('latin1');
  const spelling = { name: copy, field: fieldOfNew(name) };
  if (known.size < KNOWN_MAX) known.set(copy, spelling);
  return spelling;
}

function fieldOfNew(name: string): Field {
  const lower = name.toLowerCase();
  return EXACT.get(lower) ?? familyOf(lower.replaceAll('_', '-'));
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
 * The field names that a Connection header lists, lower case; `keep-alive`, `close` and `upgrade` are not field names.
 * Null if there are none, which is nearly always so.
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

/** Fields that are meaningless or harmful in a trailer section (RFC 9110 6.5.1). */
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

/**
 * The trailers that may be passed on, flat. Those for framing and routing, with credentials, or of our own names are
 * dropped.
 */
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
