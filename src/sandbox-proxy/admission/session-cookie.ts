/**
 * The proxy's own cookies: the first for HTTPS, where the prefix keeps neighbours from setting it; the other for plain
 * HTTP.
 */
const SECURE_NAME = '__Host-sandbox_session';
const PLAIN_NAME = 'sandbox_session';

export const SESSION_COOKIE_NAMES: readonly string[] = [SECURE_NAME, PLAIN_NAME];

/** The one name that counts on such a connection: on HTTPS a cookie without the prefix may be a neighbour's. */
function sessionCookieName(isSecure: boolean): string {
  return isSecure ? SECURE_NAME : PLAIN_NAME;
}

/** Cookies of our name that are looked at in one request: neighbours may have planted some beside the real one. */
const MAX_COOKIES = 64;

/** The `Cookie` lines of a request that may hold one of our cookies, joined; `''`: none. */
export function cookieLinesIn(rawHeaders: readonly string[]): string {
  let cookies = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
    const value = rawHeaders[i + 1] as string;
    if (value.includes(PLAIN_NAME)) cookies += `;${value}`;
  }
  return cookies;
}

/** The values of the cookies that count on such a connection, the first few. @param cookies lines of them */
export function sessionTokensIn(cookies: string, isSecure: boolean): string[] {
  const start = `${sessionCookieName(isSecure)}=`;
  const values: string[] = [];
  for (const pair of cookies.split(';')) {
    const trimmed = pair.trim();
    if (!trimmed.startsWith(start)) continue;
    values.push(trimmed.slice(start.length));
    if (values.length === MAX_COOKIES) break;
  }
  return values;
}

/** What the browser is told to keep. */
export interface SessionCookie {
  readonly token: string;
  readonly isSecure: boolean;
  /** Also sent where the sandbox is in a frame of another site. */
  readonly embed: boolean;
  /** Set in an answer to a page of another site, and meant for that page's own requests. */
  readonly isOfOtherSite: boolean;
  readonly maxAgeSeconds: number;
}

/** `__Host-sandbox_session=wrs_…; Path=/; HttpOnly; Max-Age=900; Secure; SameSite=Lax`. */
export function setSessionCookie({
  token,
  isSecure,
  embed,
  isOfOtherSite,
  maxAgeSeconds,
}: SessionCookie): string {
  const kept = `${sessionCookieName(isSecure)}=${token}; Path=/; HttpOnly; Max-Age=${maxAgeSeconds}`;
  // Browsers take localhost for secure also without HTTPS.
  if (isOfOtherSite || (isSecure && embed)) return `${kept}; Secure; SameSite=None; Partitioned`;
  return `${kept}; ${isSecure ? 'Secure; ' : ''}SameSite=Lax`;
}
