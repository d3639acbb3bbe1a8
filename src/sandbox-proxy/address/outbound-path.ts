import { InvalidPathError } from '../errors.js';

const NEEDS_A_LOOK = /[.%\\#]/;
const DOT = /%2e/gi;
const DOTS_WITH_PARAMETER = /^\.{1,2}(?:;|%3b)/i;
const STEP_UP = /^\.\.(?:$|;|%3b)/i;
const HIDDEN_SEPARATOR = /%2f|%5c|\\/i;

/**
 * The path and query to send, from the request target as it came: byte for byte, except that `.` and `..` segments
 * (also spelled `%2e`) are resolved inside the sandbox's own path, as RFC 3986 5.2.4 does, and never climb above its
 * root. `/a/../../b?x=..` -> `/b?x=..`. `*` (of `OPTIONS *`) -> `/*`.
 *
 * @throws InvalidPathError when a `..` hides behind `%2f`, `%5c` or `\`, a dot segment has a parameter (`..;x`), the
 *   target has a fragment, or it does not start with `/`.
 */
export function outboundPath(target: string, method: string): string {
  if (target.charCodeAt(0) !== 0x2f) {
    if (target === '*' && method === 'OPTIONS') return '/*';
    throw new InvalidPathError('the request target must be a path that starts with "/"');
  }
  if (!NEEDS_A_LOOK.test(target)) return target;
  if (target.includes('#')) throw new InvalidPathError('a request target must not have a fragment ("#")');
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  const query = queryAt === -1 ? '' : target.slice(queryAt);
  return removeDotSegments(path) + query;
}

/** RFC 3986 5.2.4 on raw segments; all other segments keep every byte. */
function removeDotSegments(path: string): string {
  const segments = path.split('/');
  const kept: string[] = [];
  let changed = false;
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string;
    const isLast = i === segments.length - 1;
    const dots = dotsOf(segment);
    if (dots === 0) {
      kept.push(segment);
      continue;
    }
    changed = true;
    if (dots === 2) kept.pop();
    if (isLast) kept.push('');
  }
  return changed ? `/${kept.join('/')}` : path;
}

/** 1 for `.`, 2 for `..`, in any spelling; 0 for any other segment. @throws InvalidPathError on a hidden `..`. */
function dotsOf(segment: string): 0 | 1 | 2 {
  if (!segment.includes('.') && !segment.includes('%')) return 0;
  const plain = segment.includes('%') ? segment.replace(DOT, '.') : segment;
  if (plain === '.') return 1;
  if (plain === '..') return 2;
  // Some servers take `..;x` for `..`, with a parameter (RFC 2396 3.3).
  if (DOTS_WITH_PARAMETER.test(plain))
    throw new InvalidPathError('a "." or ".." with a parameter (";") is refused');
  if (HIDDEN_SEPARATOR.test(plain) && plain.split(HIDDEN_SEPARATOR).some((part) => STEP_UP.test(part))) {
    throw new InvalidPathError('a ".." behind an encoded slash or a backslash is refused');
  }
  return 0;
}
