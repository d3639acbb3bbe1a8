import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

/**
 * What a token is good for, and its prefix: a `link` opens a sandbox once or until it expires, by being exchanged for a
 * `session`, which is a cookie. One is never taken for the other.
 */
export type TokenPurpose = 'link' | 'session';
const PREFIX: Readonly<Record<TokenPurpose, string>> = { link: 'wrl_', session: 'wrs_' };

/** 256 bits, base64url. */
const SECRET_BYTES = 32;
const FORM = /^wr[ls]_([0-9a-z]{25})([\w-]{43})$/;

/** Where a token leads; its hash is of this too, so that it is worth nothing anywhere else. */
export interface TokenPlace {
  /** UUID. */
  readonly sandboxId: string;
  readonly port: number;
}

/** A token as its holder has it, and what is stored of it. */
export interface NewToken {
  /** `wrl_` or `wrs_`, 25 characters of its row's id, 43 of the secret: 72 in all. */
  readonly token: string;
  /** SHA-256, 32 bytes. */
  readonly hash: Buffer;
}

/** A token that has the right form: the row it names, and what it says. */
export interface PresentedToken {
  /** UUID. */
  readonly id: string;
  readonly token: string;
}

/** @param id UUID of the row that the token is for */
export function newToken(purpose: TokenPurpose, id: string, place: TokenPlace): NewToken {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const token = `${PREFIX[purpose]}${encodeId('link', id).slice('link-'.length)}${secret}`;
  return { token, hash: hashToken(purpose, token, place) };
}

/** Null where `token` has not the form of one for that purpose. */
export function readToken(purpose: TokenPurpose, token: string): PresentedToken | null {
  if (!token.startsWith(PREFIX[purpose])) return null;
  const match = FORM.exec(token);
  const id = match === null ? null : decodeId('link', `link-${match[1]}`);
  return id === null ? null : { id, token };
}

/** Whether the stored hash is that of the token at this place; in constant time. */
export function isTokenOf(
  purpose: TokenPurpose,
  { token }: PresentedToken,
  place: TokenPlace,
  hash: Buffer,
): boolean {
  const presented = hashToken(purpose, token, place);
  return hash.length === presented.length && timingSafeEqual(hash, presented);
}

function hashToken(purpose: TokenPurpose, token: string, { sandboxId, port }: TokenPlace): Buffer {
  return createHash('sha256').update(`${purpose}\n${sandboxId}\n${port}\n${token}`).digest();
}
