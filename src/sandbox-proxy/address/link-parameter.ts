/** The query parameter with a link's token. It is removed before the request goes to the sandbox. */
export const LINK_PARAMETER = 'sandbox_link';

/** The token of a preview link in a request target, and the target without it. */
export interface LinkInTarget {
  readonly token: string;
  /** Path and query, with every other byte as it was: `/a?x=1&sandbox_link=wrl_…` -> `/a?x=1`. */
  readonly target: string;
}

/**
 * Finds the parameter in any spelling that an app would decode to its name: the token must not reach an app in
 * disguise.
 */
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
 * A request target as a `Location` on the same host: a path that begins with two slashes, or a slash and a backslash, would
 * be read as the name of another host.
 */
export function asOwnLocation(target: string): string {
  return /^\/[/\\]/.test(target) ? `/.${target}` : target;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // A malformed encoding, which no app would decode to the name.
    return text;
  }
}
