import type { OwnCookies } from './own-cookies.js';

/**
 * A sandbox's Set-Cookie, made safe for its neighbours: a `Domain` attribute other than the sandbox's own host name is
 * dropped, so that the cookie is for that host alone (RFC 6265 5.2.3 and 5.3). Everything else stays as it was. Null for a
 * cookie with one of the proxy's or the platform's own names.
 */
export function narrowSetCookie(value: string, hostname: string, own: OwnCookies): string | null {
  const parts = value.split(';');
  if (own.isOwn((parts[0] as string).split('=', 1)[0] as string)) return null;
  // Browsers send a nameless cookie "=sandbox_session=x" back as "sandbox_session=x", which would look like ours.
  if (
    /^\s*=/.test(value) &&
    own.isOwn((parts[0] as string).replace(/^\s*=+/, '').split('=', 1)[0] as string)
  ) {
    return null;
  }
  if (parts.length === 1) return value;
  const kept = parts.filter((part, i) => i === 0 || !isWiderDomain(part, hostname));
  return kept.length === parts.length ? value : kept.join(';');
}

function isWiderDomain(attribute: string, hostname: string): boolean {
  const equals = attribute.indexOf('=');
  const name = (equals === -1 ? attribute : attribute.slice(0, equals)).trim().toLowerCase();
  if (name !== 'domain') return false;
  const domain =
    equals === -1
      ? ''
      : attribute
          .slice(equals + 1)
          .trim()
          .toLowerCase()
          .replace(/^\./, '');
  return domain !== hostname;
}
