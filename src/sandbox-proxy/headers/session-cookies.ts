/** The proxy's own cookies: the first by HTTPS, where the prefix keeps neighbours from setting it; the other by plain HTTP. */
const SECURE_NAME = '__Host-sandbox_session';
const PLAIN_NAME = 'sandbox_session';

/** Names of the proxy's own cookies: they never reach a sandbox, and no sandbox may set them. */
export const SESSION_COOKIE_NAMES: readonly string[] = [SECURE_NAME, PLAIN_NAME];

/** The one name that counts on such a connection: on HTTPS a cookie without the prefix may be a neighbour's. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? SECURE_NAME : PLAIN_NAME;
}

/** What the browser is told to keep. */
export interface SessionCookie {
  readonly token: string;
  readonly isSecure: boolean;
  /** Also where the sandbox is shown in a frame of another site. */
  readonly embed: boolean;
  readonly maxAgeSeconds: number;
}

/** `__Host-sandbox_session=wrs_…; Path=/; HttpOnly; Max-Age=900; Secure; SameSite=Lax`. */
export function setSessionCookie({ token, isSecure, embed, maxAgeSeconds }: SessionCookie): string {
  const kept = `${sessionCookieName(isSecure)}=${token}; Path=/; HttpOnly; Max-Age=${maxAgeSeconds}`;
  if (!isSecure) return `${kept}; SameSite=Lax`;
  return `${kept}; Secure; ${embed ? 'SameSite=None; Partitioned' : 'SameSite=Lax'}`;
}

/** True for a cookie name of ours, in any letter case (some apps and proxies fold case). */
export function isSessionCookie(name: string): boolean {
  const lower = name.trim().toLowerCase();
  return SESSION_COOKIE_NAMES.some((own) => own.toLowerCase() === lower);
}

/**
 * A Cookie header without our own cookies; every other byte stays. Null when nothing is left to send.
 * `a=1; sandbox_session=x; b=2` -> `a=1; b=2`.
 */
export function withoutSessionCookies(value: string): string | null {
  if (!value.toLowerCase().includes('sandbox_session')) return value;
  const kept = value.split(';').filter((pair) => !isSessionCookie(pair.split('=', 1)[0] as string));
  const rest = kept.join(';').trim();
  return rest === '' ? null : rest;
}
