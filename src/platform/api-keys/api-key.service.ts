import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed, type FeedEvent } from '../database/change-feed.js';
import { FeedCache } from '../database/feed-cache.js';
import { API_KEY_PATTERN, hashApiKey } from '../identifiers/api-key.js';
import { API_KEY_OPTIONS, type ApiKeyOptions } from './api-key.options.js';
import { type AdmittedKey, ApiKeyRepository } from './api-key.repository.js';
import { LastUsedRecorder } from './last-used.recorder.js';

/** Keys whose hash is remembered; no more than these are in memory in plain. */
const HASHES_MAX = 1_000;

/** API key -> team, from memory where possible. Entries are held by the key's hash, by which the feed names them. */
@Injectable()
export class ApiKeyService implements OnApplicationShutdown {
  readonly #cache: FeedCache<AdmittedKey>;
  /** Key -> its hash, of the keys in use: hashing is a thirtieth of a proxied request's time. */
  readonly #hashes = new LRUCache<string, string>({ max: HASHES_MAX });
  /** Requests of one client come in bunches, and comparing two strings is cheaper than looking one up. */
  #lastKey: string | null = null;
  #lastHash = '';
  readonly #unsubscribe: () => void;

  constructor(
    private readonly repository: ApiKeyRepository,
    feed: ChangeFeed,
    private readonly lastUsed: LastUsedRecorder,
    @Inject(API_KEY_OPTIONS) options: ApiKeyOptions,
  ) {
    this.#cache = new FeedCache({
      feed,
      clock: options.clock,
      ttlMs: options.cacheTtlMs,
      max: options.cacheMax,
    });
    this.#unsubscribe = feed.subscribe((event) => this.#evict(event));
  }

  /**
   * Whom `key` admits, or null. Synchronous where memory has the answer: the warm path makes no promise.
   *
   * @throws DirectoryUnavailableError (also as a rejection) when the database fails; such a failure is not remembered.
   */
  findTeam(key: string): AdmittedKey | null | Promise<AdmittedKey | null> {
    const remembered = key === this.#lastKey ? this.#lastHash : this.#hashes.get(key);
    if (remembered === undefined && !API_KEY_PATTERN.test(key)) return null;
    const keyHash = remembered ?? hashApiKey(key);
    const found = this.#cache.get(keyHash, () => this.repository.findByHash(keyHash));
    if (found instanceof Promise) return found.then((admitted) => this.#used(key, keyHash, admitted));
    return this.#used(key, keyHash, found);
  }

  /** Whether the key still admits as it did; asked of the database, past every cache. */
  async holds({ keyHash, keyId, teamId }: AdmittedKey): Promise<boolean> {
    const found = await this.repository.findByHash(keyHash);
    return found?.keyId === keyId && found.teamId === teamId;
  }

  /** Forgets a key that was just deleted here, without waiting for the database to say so. */
  forget(keyHash: string): void {
    this.#cache.forget(keyHash);
  }

  onApplicationShutdown(): void {
    this.#unsubscribe();
  }

  #used(key: string, keyHash: string, admitted: AdmittedKey | null): AdmittedKey | null {
    if (admitted === null) return null;
    if (key !== this.#lastKey) {
      this.#hashes.set(key, keyHash);
      this.#lastKey = key;
      this.#lastHash = keyHash;
    }
    this.lastUsed.note(admitted.keyId);
    return admitted;
  }

  #evict(event: FeedEvent): void {
    if (event.table === 'team_api_keys') this.#cache.forget(event.keyHash);
    else if (event.table === 'teams') this.#cache.forgetWhere(({ teamId }) => teamId === event.id);
    else if (event.table === '*') this.#cache.clear();
  }
}
