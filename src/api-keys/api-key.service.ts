import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed, type FeedEvent, TTL_WITHOUT_FEED_MS } from '../database/change-feed.js';
import { DirectoryUnavailableError } from '../errors/directory-unavailable.error.js';
import { API_KEY_PATTERN, hashApiKey } from '../identifiers/api-key.js';
import { API_KEY_OPTIONS, type ApiKeyOptions } from './api-key.options.js';
import { type AdmittedKey, ApiKeyRepository } from './api-key.repository.js';
import { LastUsedRecorder } from './last-used.recorder.js';

/** How long "no such key" is remembered: enough against a client that insists, short enough for a new key. */
const UNKNOWN_TTL_MS = 2_000;

/** Keys whose hash is remembered; no more than these are in memory in plain. */
const HASHES_MAX = 1_000;

/** Keys asked about at a time. Anyone can make keys up: without a bound they would wait in the process by the million. */
const MAX_FLIGHTS = 1_000;

interface Entry {
  readonly admitted: AdmittedKey | null;
  /** When the query was begun: what was committed later is not in it. */
  readonly askedAt: number;
}

/**
 * API key -> team, from memory where possible. Entries are held by the key's hash, by which the feed names them.
 * Keys that exist and keys that do not are held apart: guessing cannot push out real ones.
 */
@Injectable()
export class ApiKeyService implements OnApplicationShutdown {
  readonly #known: LRUCache<string, Entry>;
  readonly #unknown: LRUCache<string, Entry>;
  /** Key -> its hash, of the keys in use: hashing is a thirtieth of a proxied request's time. */
  readonly #hashes = new LRUCache<string, string>({ max: HASHES_MAX });
  #lastKey = '';
  #lastHash = '';
  readonly #flights = new Map<string, Promise<AdmittedKey | null>>();
  readonly #unsubscribe: () => void;

  constructor(
    private readonly repository: ApiKeyRepository,
    private readonly feed: ChangeFeed,
    private readonly lastUsed: LastUsedRecorder,
    @Inject(API_KEY_OPTIONS) private readonly options: ApiKeyOptions,
  ) {
    this.#known = new LRUCache({ max: options.cacheMax });
    this.#unknown = new LRUCache({ max: options.cacheMax });
    this.#unsubscribe = feed.subscribe((event) => this.#evict(event));
  }

  /**
   * Whom `key` admits, or null. Synchronous where memory has the answer: the warm path makes no promise.
   *
   * @throws DirectoryUnavailableError (as a rejection) when the database fails; such a failure is not remembered.
   */
  findTeam(key: string): AdmittedKey | null | Promise<AdmittedKey | null> {
    const remembered = key === this.#lastKey && key !== '' ? this.#lastHash : this.#hashes.get(key);
    if (remembered === undefined && !API_KEY_PATTERN.test(key)) return null;
    const keyHash = remembered ?? hashApiKey(key);
    const entry = this.#known.get(keyHash) ?? this.#unknown.get(keyHash);
    if (entry === undefined || this.#isExpired(entry)) return this.#join(keyHash);
    if (entry.admitted !== null) {
      if (remembered === undefined) this.#hashes.set(key, keyHash);
      this.#lastKey = key;
      this.#lastHash = keyHash;
      this.lastUsed.note(entry.admitted.keyId);
    }
    return entry.admitted;
  }

  /** Forgets a key that was just deleted here, without waiting for the database to say so. */
  forget(keyHash: string): void {
    this.#known.delete(keyHash);
    this.#flights.delete(keyHash);
  }

  onApplicationShutdown(): void {
    this.#unsubscribe();
  }

  /** Decided when read, not when stored: once the feed is down, old entries are worth nothing at once. */
  #isExpired({ admitted, askedAt }: Entry): boolean {
    const ttlMs =
      admitted === null ? Math.min(UNKNOWN_TTL_MS, this.options.cacheTtlMs) : this.options.cacheTtlMs;
    const trustedMs = this.feed.isLive ? ttlMs : Math.min(ttlMs, TTL_WITHOUT_FEED_MS);
    return this.options.clock() - askedAt >= trustedMs;
  }

  /** One query per key, however many requests wait for it. */
  #join(keyHash: string): Promise<AdmittedKey | null> {
    const underWay = this.#flights.get(keyHash);
    if (underWay !== undefined) return underWay;
    if (this.#flights.size >= MAX_FLIGHTS)
      throw new DirectoryUnavailableError(new Error('too many lookups under way'));
    const flight: Promise<AdmittedKey | null> = this.#ask(
      keyHash,
      () => this.#flights.get(keyHash) === flight,
    );
    this.#flights.set(keyHash, flight);
    return flight;
  }

  /** `isCurrent` is false once an eviction has dropped the flight: its waiters get the answer, nobody after them. */
  async #ask(keyHash: string, isCurrent: () => boolean): Promise<AdmittedKey | null> {
    const askedAt = this.options.clock();
    try {
      const admitted = await this.repository.findByHash(keyHash);
      if (isCurrent()) this.#remember(keyHash, { admitted, askedAt });
      if (admitted !== null) this.lastUsed.note(admitted.keyId);
      return admitted;
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    } finally {
      if (isCurrent()) this.#flights.delete(keyHash);
    }
  }

  #remember(keyHash: string, entry: Entry): void {
    this.#known.delete(keyHash);
    this.#unknown.delete(keyHash);
    (entry.admitted === null ? this.#unknown : this.#known).set(keyHash, entry);
  }

  #evict(event: FeedEvent): void {
    if (event.table === 'team_api_keys') {
      this.#known.delete(event.keyHash);
      this.#unknown.delete(event.keyHash);
      this.#flights.delete(event.keyHash);
    } else if (event.table === 'teams') {
      this.#evictTeam(event.id);
    } else if (event.table === '*') {
      this.#known.clear();
      this.#unknown.clear();
      this.#flights.clear();
    }
  }

  /** A team that comes back makes unknown keys known, and a flight's team is not known yet: both go as a whole. */
  #evictTeam(teamId: string): void {
    for (const [keyHash, { admitted }] of this.#known.entries()) {
      if (admitted?.teamId === teamId) this.#known.delete(keyHash);
    }
    this.#unknown.clear();
    this.#flights.clear();
  }
}
