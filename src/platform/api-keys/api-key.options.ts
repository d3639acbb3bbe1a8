import type { Clock } from '../database/feed-cache.js';

/** DI token of `ApiKeyOptions`. */
export const API_KEY_OPTIONS = Symbol('API_KEY_OPTIONS');

/** What the lookup of API keys needs to know. */
export interface ApiKeyOptions {
  /** How long a key that was found may be served from memory, in milliseconds; 0 caches nothing. */
  readonly cacheTtlMs: number;
  /** Most keys in memory; as many keys that were not found are remembered beside them. */
  readonly cacheMax: number;
  readonly clock: Clock;
}
