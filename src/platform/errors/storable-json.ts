import { MalformedRequestError } from './request.errors.js';

/** Levels of lists and objects within one another; what walks through a body by recursion ends at some thousands. */
const MAX_DEPTH = 32;

/** U+0000, which PostgreSQL keeps in no text. */
const NUL = '\0';

/** With the flag `u`, pairs are one character and not of this kind. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Refuses what was read as JSON and can be neither validated nor stored: U+0000 or half of a surrogate pair in a text
 * or a name, and more than 32 levels within one another.
 *
 * @throws MalformedRequestError
 */
export function requireStorable(root: unknown): void {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH)
      throw new MalformedRequestError(`the body has more than ${MAX_DEPTH} levels within one another`);
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
  if (text.includes(NUL)) throw new MalformedRequestError('text must not contain U+0000');
  if (LONE_SURROGATE.test(text))
    throw new MalformedRequestError('text must not contain half of a surrogate pair');
}
