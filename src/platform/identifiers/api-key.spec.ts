import { describe, expect, it } from 'vitest';
import { API_KEY_PATTERN, apiKeyPrefix, generateApiKey, hashApiKey } from './api-key.js';

const WHOLE = new RegExp(`^${API_KEY_PATTERN.source}$`);

describe('API keys', () => {
  it('are wrn_ and 32 hex digits, and never the same', () => {
    const keys = Array.from({ length: 1_000 }, generateApiKey);
    for (const key of keys) expect(key).toMatch(WHOLE);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are stored as the SHA-256 of the whole key', () => {
    // printf %s wrn_00112233445566778899aabbccddeeff | sha256sum
    expect(hashApiKey('wrn_00112233445566778899aabbccddeeff')).toBe(
      '34dc444d178dbba142e5e3cd3a93ada74a3fc8a376c108269f5c1d0ecde85d17',
    );
  });

  it('show their first ten characters', () => {
    expect(apiKeyPrefix('wrn_00112233445566778899aabbccddeeff')).toBe('wrn_001122');
  });

  it.each([
    'wrn_',
    'WRN_00112233445566778899aabbccddeeff',
    'wrn_00112233445566778899AABBCCDDEEFF',
    'wrn_00112233445566778899aabbccddeeff\n',
  ])('are not %j', (text) => {
    expect(WHOLE.test(text)).toBe(false);
  });
});
