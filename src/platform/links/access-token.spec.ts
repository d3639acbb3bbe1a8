import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isTokenOf, newToken, type PresentedToken, readToken, type TokenPurpose } from './access-token.js';

const PLACE = { sandboxId: randomUUID(), port: 3000 };
const ID = randomUUID();

function presented(purpose: TokenPurpose, token: string): PresentedToken {
  const read = readToken(purpose, token);
  if (read === null) throw new Error('the token has not the form of one');
  return read;
}

describe.each<TokenPurpose>(['link', 'session'])('a token for a %s', (purpose) => {
  const made = newToken(purpose, ID, PLACE);
  const other: TokenPurpose = purpose === 'link' ? 'session' : 'link';

  it('holds the id of its row and 256 bits beside', () => {
    expect(made.token).toMatch(/^wr[ls]_[0-9a-z]{25}[\w-]{43}$/);
    expect(presented(purpose, made.token).id).toBe(ID);
    expect(newToken(purpose, ID, PLACE).token).not.toBe(made.token);
    expect(made.hash).toHaveLength(32);
  });

  it('is good where it was made for', () => {
    expect(isTokenOf(purpose, presented(purpose, made.token), PLACE, made.hash)).toBe(true);
  });

  it.each([
    ['another port', { ...PLACE, port: 3001 }],
    ['another sandbox', { ...PLACE, sandboxId: randomUUID() }],
  ])('is worth nothing at %s', (_name, place) => {
    expect(isTokenOf(purpose, presented(purpose, made.token), place, made.hash)).toBe(false);
  });

  it('is not one for the other purpose', () => {
    expect(readToken(other, made.token)).toBeNull();
    const relabelled = made.token.replace(/^wr[ls]_/, purpose === 'link' ? 'wrs_' : 'wrl_');
    expect(isTokenOf(other, presented(other, relabelled), PLACE, made.hash)).toBe(false);
  });

  it('is refused with a character changed, missing or added', () => {
    const last = made.token.endsWith('A') ? 'B' : 'A';
    const changed = `${made.token.slice(0, -1)}${last}`;
    expect(isTokenOf(purpose, presented(purpose, changed), PLACE, made.hash)).toBe(false);
    for (const token of [made.token.slice(0, -1), `${made.token}A`, ` ${made.token}`, '', 'wrl_'])
      expect(readToken(purpose, token)).toBeNull();
  });
});
