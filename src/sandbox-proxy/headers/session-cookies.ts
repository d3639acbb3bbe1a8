/** Names of the proxy's own cookies: they never reach a sandbox, and no sandbox may set them. */
export const SESSION_COOKIE_NAMES: readonly string[] = ['__Host-sandbox_session', 'sandbox_session'];

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
