/**
 * The proxy's own cookies: the first for HTTPS, where the prefix keeps neighbours from setting it; the other for plain
 * HTTP.
 */
const SECURE_NAME = '__Host-sandbox_session';
const PLAIN_NAME = 'sandbox_session';

export const SESSION_COOKIE_NAMES: readonly string[] = [SECURE_NAME, PLAIN_NAME];

/** The only name that counts: on HTTPS, a cookie without the prefix may come from a neighbour. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? SECURE_NAME : PLAIN_NAME;
}

/** The cookie that a browser gets. */
export interface SessionCookie {
  readonly token: string;
  readonly isSecure: boolean;
  /** Also sent where the sandbox is in a frame of another site. */
  readonly embed: boolean;
  readonly maxAgeSeconds: number;
}

/** `__Host-sandbox_session=wrs_…; Path=/; HttpOnly; Max-Age=900; Secure; SameSite=Lax`. */
export function setSessionCookie({ token, isSecure, embed, maxAgeSeconds }: SessionCookie): string {
  const kept = `${sessionCookieName(isSecure)}=${token}; Path=/; HttpOnly; Max-Age=${maxAgeSeconds}`;
  if (!isSecure) return `${kept}; SameSite=Lax`;
  return `${kept}; Secure; ${embed ? 'SameSite=None; Partitioned' : 'SameSite=Lax'}`;
}
