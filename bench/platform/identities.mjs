import { createHash } from 'node:crypto';

/** The one API key of the bench; every contender gets it with every request. */
export const API_KEY = 'wrn_00112233445566778899aabbccddeeff';
export const API_KEY_HASH = createHash('sha256').update(API_KEY).digest('hex');

/** The port inside the sandbox that every Host header names. */
export const SANDBOX_PORT = 3000;

/** The `n`th sandbox as the database names it. */
export function sandboxUuid(n) {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The `n`th sandbox as Host headers name it: the UUID's 128 bits in 25 digits of base 36. */
export function sandboxId(n) {
  const digits = BigInt(`0x${sandboxUuid(n).replaceAll('-', '')}`).toString(36);
  return `cl-${digits.padStart(25, '0')}`;
}

/** `3000-cl-….localhost` of the `n`th sandbox. */
export function sandboxHost(n) {
  return `${SANDBOX_PORT}-${sandboxId(n)}.localhost`;
}
