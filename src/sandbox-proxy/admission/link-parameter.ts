/** The query parameter in which a link's token travels to the sandbox's host name, and no further. */
export const LINK_PARAMETER = 'sandbox_link';

/** The token of a preview link in a request target, and the target without it. */
export interface LinkInTarget {
  readonly token: string;
  /** Path and query, every other byte as it was: `/a?x=1&sandbox_link=wrl_…` -> `/a?x=1`. */
  readonly target: string;
}

/** Looked for in any spelling that an app would decode to the name; the token shall not reach it in disguise. */
export function linkIn(target: string): LinkInTarget | null {
  const queryAt = target.indexOf('?');
  if (queryAt === -1 || !/sandbox_link|%/.test(target)) return null;
  const kept: string[] = [];
  let token: string | null = null;
  for (const part of target.slice(queryAt + 1).split('&')) {
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    if (decoded(name) !== LINK_PARAMETER) kept.push(part);
    else token ??= equals === -1 ? '' : decoded(part.slice(equals + 1));
  }
  if (token === null) return null;
  const path = target.slice(0, queryAt);
  return { token, target: kept.length === 0 ? path : `${path}?${kept.join('&')}` };
}

/**
 * A target as a `Location` on the same host. A path that begins with two slashes, or with a slash and a backslash, would
 * be read as another host's name.
 */
export function asOwnLocation(target: string): string {
  return /^\/[/\\]/.test(target) ? `/.${target}` : target;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not text that anyone would decode to the name.
    return text;
  }
}
