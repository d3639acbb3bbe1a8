import { InvalidRequestError } from '../../sandbox-proxy/index.js';

/** Most levels of nested lists and objects: code that walks through a body by recursion fails at some thousands. */
const MAX_DEPTH = 32;

/** U+0000, which PostgreSQL cannot store in a text. */
const NUL = '\0';

/** With the flag `u`, a surrogate pair is one character and does not match. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Refuses JSON that can be parsed but neither validated nor stored: with U+0000 or half of a surrogate pair in a text or a
 * name, or nested more than 32 levels deep.
 *
 * @throws InvalidRequestError
 */
export function requireStorable(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH)
      throw new InvalidRequestError(`the body is nested more than ${MAX_DEPTH} levels deep`);
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string') requireText(value);
      else if (Array.isArray(value)) for (const item of value) below.push(item);
      else if (typeof value === 'object' && value !== null) {
        for (const [name, item] of Object.entries(value)) {
          requireText(name);
          below.push(item);
        }
      }
    }
    level = below;
  }
}

function requireText(text: string): void {
  if (text.includes(NUL)) throw new InvalidRequestError('text must not contain U+0000');
  if (LONE_SURROGATE.test(text))
    throw new InvalidRequestError('text must not contain half of a surrogate pair');
}
