import { hash, randomBytes } from 'node:crypto';

/** `wrn_` and 16 random bytes in lower-case hex, e.g. `wrn_00112233445566778899aabbccddeeff`. */
export const API_KEY_PATTERN = /wrn_[0-9a-f]{32}/;

/** A new key in plain text: show it once, and store its `hashApiKey` and `apiKeyPrefix`. */
export function generateApiKey(): string {
  return `wrn_${randomBytes(16).toString('hex')}`;
}

/** SHA-256 of the whole key, 64 lower-case hex digits: what `team_api_keys.key_hash` holds. */
export function hashApiKey(key: string): string {
  return hash('sha256', key);
}

/** The first 10 characters, by which people tell keys apart: `wrn_001122`. */
export function apiKeyPrefix(key: string): string {
  return key.slice(0, 10);
}
