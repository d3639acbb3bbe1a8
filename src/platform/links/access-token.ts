import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

/**
 * What a token is for. The token of a `link` can be exchanged for that of a `session`, which is a cookie, and for those of an
 * `exchange`, each of which can be exchanged once for that of a session at another port. None is accepted in place of another.
 */
export type TokenPurpose = 'link' | 'session' | 'exchange';
const PREFIX: Readonly<Record<TokenPurpose, string>> = { link: 'wrl_', session: 'wrs_', exchange: 'wre_' };

/** 256 bits, base64url. */
const SECRET_BYTES = 32;
const FORM = /^wr[lse]_([0-9a-z]{25})([\w-]{43})$/;

/** The port for which a token is good. Its hash includes this, so the token is worth nothing anywhere else. */
export interface TokenPlace {
  /** UUID. */
  readonly sandboxId: string;
  readonly port: number;
}

/** A new token, and what is stored of it. */
export interface NewToken {
  /** `wrl_`, `wrs_` or `wre_`, 25 characters for the id of its row, 43 for the secret: 72 in all. */
  readonly token: string;
  /** SHA-256, 32 bytes. */
  readonly hash: Buffer;
}

/** A token with the right form, and the id of the row that it names. */
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

/** Null if `token` does not have the form of one for that purpose. */
export function readToken(purpose: TokenPurpose, token: string): PresentedToken | null {
  if (!token.startsWith(PREFIX[purpose])) return null;
  const match = FORM.exec(token);
  const id = match === null ? null : decodeId('link', `link-${match[1]}`);
  return id === null ? null : { id, token };
}

/** Whether the stored hash is that of the token for this place. Takes constant time. */
export function isTokenOf(
  purpose: TokenPurpose,
  { token }: PresentedToken,
  place: TokenPlace,
  hash: Buffer,
): boolean {
  const presented = hashToken(purpose, token, place);
  return hash.length === presented.length && timingSafeEqual(hash, presented);
}

/** What is stored of a token for that place. */
export function hashToken(purpose: TokenPurpose, token: string, { sandboxId, port }: TokenPlace): Buffer {
  return createHash('sha256').update(`${purpose}\n${sandboxId}\n${port}\n${token}`).digest();
}
