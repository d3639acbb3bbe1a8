import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** A JSON Web Token of this application: whose it is, its own id, and when it ends, in seconds since 1970. */
export interface Token {
  readonly sub: string;
  readonly jti: string;
  readonly exp: number;
}

const HEADER = encode({ alg: 'HS256', typ: 'JWT' });

/** `header.payload.signature`, and the id by which it can be revoked. */
export function issueToken(owner: string, seconds: number, secret: string): { id: string; token: string } {
  const id = randomUUID();
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const signed = `${HEADER}.${encode({ sub: owner, jti: id, exp } satisfies Token)}`;
  return { id, token: `${signed}.${sign(signed, secret).toString('base64url')}` };
}

/** What a token says, or null if we have not signed it or it has expired. */
export function readToken(token: string, secret: string): Token | null {
  const [header, payload = '', signature = ''] = token.split('.');
  if (header !== HEADER) return null;
  const expected = sign(`${header}.${payload}`, secret);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Token;
  return said.exp * 1000 > Date.now() ? said : null;
}

function sign(text: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
