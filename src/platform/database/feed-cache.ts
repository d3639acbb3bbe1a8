import { LRUCache } from 'lru-cache';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { type ChangeFeed, TTL_WITHOUT_FEED_MS } from './change-feed.js';

/** How long "there is none" is remembered: enough against a client that insists, short enough for what is new. */
const UNKNOWN_TTL_MS = 2_000;

/** Keys asked about at a time. Anyone can make keys up: without a bound they would wait in the process by the million. */
const MAX_FLIGHTS = 1_000;

const nothing = (): void => undefined;

/** Milliseconds that only ever grow, e.g. `performance.now`; injected so that tests decide what time it is. */
export type Clock = () => number;

export interface FeedCacheOptions {
  readonly feed: Pick<ChangeFeed, 'isLive'>;
  readonly clock: Clock;
  /** How long an answer may be served from memory, milliseconds; 0 caches nothing. */
  readonly ttlMs: number;
  /** Most answers in memory; as many that say "there is none" are remembered beside them. */
  readonly max: number;
}

interface Entry<Value> {
  readonly value: Value | null;
  /** When the query was begun: what was committed later is not in it. */
  readonly askedAt: number;
}

/**
 * Answers of the database, kept in memory for as long as the change feed would tell of a change; whoever owns the
 * cache listens to the feed and forgets. One query per key however many wait for it; a failure is not remembered.
 * What exists and what does not are held apart: guessing cannot push out what is in use.
 */
export class FeedCache<Value> {
  private readonly known: LRUCache<string, Entry<Value>>;
  private readonly unknown: LRUCache<string, Entry<Value>>;
  private readonly flights = new Map<string, Promise<Value | null>>();

  constructor(private readonly options: FeedCacheOptions) {
    this.known = new LRUCache({ max: options.max });
    this.unknown = new LRUCache({ max: options.max });
  }

  /**
   * What memory says of `key`, synchronously, or what `ask` finds out.
   *
   * @param beforeAsking called where memory does not know; may refuse by throwing
   * @throws DirectoryUnavailableError (also as a rejection) when the database fails, or too much is asked at once
   */
  get(
    key: string,
    ask: () => Promise<Value | null>,
    beforeAsking: () => void = nothing,
  ): Value | null | Promise<Value | null> {
    const entry = this.known.get(key) ?? this.unknown.get(key);
    if (entry !== undefined && !this.isExpired(entry)) return entry.value;
    beforeAsking();
    return this.join(key, ask);
  }

  /** Forgets one answer, and what is being asked for it. */
  forget(key: string): void {
    this.known.delete(key);
    this.unknown.delete(key);
    this.flights.delete(key);
  }

  /** Forgets the answers of that kind. What is under way, or said to be missing, may be of it: it goes as a whole. */
  forgetWhere(isOfKind: (value: Value) => boolean): void {
    for (const [key, { value }] of this.known.entries()) {
      if (value !== null && isOfKind(value)) this.known.delete(key);
    }
    this.unknown.clear();
    this.flights.clear();
  }

  clear(): void {
    this.known.clear();
    this.unknown.clear();
    this.flights.clear();
  }

  /** Decided when read, not when stored: once the feed is down, old entries are worth nothing at once. */
  private isExpired({ value, askedAt }: Entry<Value>): boolean {
    const { ttlMs, feed, clock } = this.options;
    const ownMs = value === null ? Math.min(UNKNOWN_TTL_MS, ttlMs) : ttlMs;
    return clock() - askedAt >= (feed.isLive ? ownMs : Math.min(ownMs, TTL_WITHOUT_FEED_MS));
  }

  private join(key: string, ask: () => Promise<Value | null>): Promise<Value | null> {
    const underWay = this.flights.get(key);
    if (underWay !== undefined) return underWay;
    if (this.flights.size >= MAX_FLIGHTS)
      throw new DirectoryUnavailableError(new Error('too many lookups under way'));
    const flight: Promise<Value | null> = this.ask(key, ask, () => this.flights.get(key) === flight);
    this.flights.set(key, flight);
    return flight;
  }

  /** `isCurrent` is false once a change has dropped the flight: its waiters get the answer, nobody after them. */
  private async ask(
    key: string,
    ask: () => Promise<Value | null>,
    isCurrent: () => boolean,
  ): Promise<Value | null> {
    const askedAt = this.options.clock();
    try {
      const value = await ask();
      if (isCurrent()) this.remember(key, { value, askedAt });
      return value;
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    } finally {
      if (isCurrent()) this.flights.delete(key);
    }
  }

  private remember(key: string, entry: Entry<Value>): void {
    this.known.delete(key);
    this.unknown.delete(key);
    (entry.value === null ? this.unknown : this.known).set(key, entry);
  }
}
