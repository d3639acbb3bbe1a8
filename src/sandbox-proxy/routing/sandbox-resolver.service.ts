import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ChangeFeed, type FeedEvent, TTL_WITHOUT_FEED_MS } from '../../platform/database/change-feed.js';
import { DirectoryUnavailableError } from '../errors.js';
import { decodeId, encodeId } from '../../platform/identifiers/resource-id.js';
import { LOGGER } from '../../program/logging/logger.js';
import { type MaybePromise } from '../contracts/maybe-promise.js';
import { LookupBudget } from './lookup-budget.js';
import { SandboxDirectory, type SandboxLocation } from './sandbox-directory.js';
import {
  InvalidSandboxIdError,
  SandboxNotFoundError,
  SandboxNotRunningError,
  TooManyLookupsError,
} from '../errors.js';
import { SANDBOX_PROXY_OPTIONS } from '../sandbox-proxy.module-definition.js';
import type { SandboxProxyOptions } from '../options.js';
import { type CachedRoute, isCachedRoute, SandboxRouteCache } from './sandbox-route-cache.js';

/** How long "no such sandbox" and "not running" are believed: long enough to blunt a flood, milliseconds. */
const NEGATIVE_TTL_MS = 2_000;
/** Sandboxes asked about at a time. */
const MAX_FLIGHTS = 5_000;
/** How long a store outside this process is waited for, milliseconds; then the database is asked. */
const CACHE_TIMEOUT_MS = 500;

/**
 * Where a sandbox is now: (sandbox, team) to its host's address, from the cache or by one query however many
 * requests wait for it.
 */
@Injectable()
export class SandboxResolverService implements OnModuleInit, OnApplicationShutdown {
  private readonly flights = new Map<string, Promise<CachedRoute>>();
  /** When a key was last evicted, epoch ms: an entry asked for before that is not believed, whatever the store did. */
  private readonly evictedAtMs: LRUCache<string, number>;
  private allEvictedAtMs = 0;
  private readonly lookups = new LookupBudget(() => performance.now(), { burst: 5_000, perSecond: 100 });
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly directory: SandboxDirectory,
    private readonly cache: SandboxRouteCache,
    private readonly feed: ChangeFeed,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.evictedAtMs = new LRUCache({
      max: options.routeCacheMax,
      // A mark that finds no room any more still has to hold: for every key, then.
      dispose: (atMs, _key, reason) => {
        if (reason === 'evict') this.allEvictedAtMs = Math.max(this.allEvictedAtMs, atMs);
      },
    });
  }

  onModuleInit(): void {
    this.unsubscribe = this.feed.subscribe((event) => this.forget(event));
  }

  /** Not before: requests that are still under way during a shutdown must see changes like any other. */
  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  /**
   * The address of the host that runs the sandbox, as stored in `hosts.address` (may be empty).
   *
   * @param sandboxId public id, `cl-…`
   * @param teamId UUID of the admitted team
   * @throws InvalidSandboxIdError, SandboxNotFoundError, SandboxNotRunningError, TooManyLookupsError,
   *   DirectoryUnavailableError
   */
  resolve(sandboxId: string, teamId: string): MaybePromise<string> {
    const key = cacheKey(sandboxId, teamId);
    const cached = this.read(key);
    if (cached instanceof Promise) {
      return cached.then((route) =>
        route === undefined ? this.ask(key, sandboxId, teamId) : addressOf(route),
      );
    }
    return cached === undefined ? this.ask(key, sandboxId, teamId) : addressOf(cached);
  }

  /** Forgets one route, because following it failed. */
  evict(sandboxId: string, teamId: string): void {
    const key = cacheKey(sandboxId, teamId);
    this.flights.delete(key);
    this.evictedAtMs.set(key, Date.now());
    this.attempt(() => this.cache.delete(key));
  }

  private read(key: string): MaybePromise<CachedRoute | undefined> {
    try {
      const cached = this.cache.get(key);
      if (!(cached instanceof Promise)) return this.ifFresh(key, cached);
      const tooLate = sleep(CACHE_TIMEOUT_MS, undefined, { ref: false });
      return Promise.race([cached, tooLate]).then(
        (route) => this.ifFresh(key, route),
        (error: unknown) => this.cacheFailed(error),
      );
    } catch (error) {
      return this.cacheFailed(error);
    }
  }

  /** Age is judged on reading: when the feed goes down, entries stored before it count as old at once. */
  private ifFresh(key: string, route: unknown): CachedRoute | undefined {
    if (!isCachedRoute(route) || route.storedAtMs <= this.allEvictedAtMs) return undefined;
    if (this.evictedAtMs.size > 0 && route.storedAtMs <= (this.evictedAtMs.get(key) ?? 0)) return undefined;
    const age = Date.now() - route.storedAtMs;
    return age >= 0 && age < this.ttlOf(route) ? route : undefined;
  }

  private ttlOf(route: CachedRoute): number {
    const ttl = this.feed.isLive
      ? this.options.routeCacheTtlMs
      : Math.min(TTL_WITHOUT_FEED_MS, this.options.routeCacheTtlMs);
    return route.kind === 'found' && route.status === 'running' ? ttl : Math.min(NEGATIVE_TTL_MS, ttl);
  }

  private ask(key: string, sandboxId: string, teamId: string): MaybePromise<string> {
    const sandboxUuid = decodeId('cl', sandboxId);
    if (sandboxUuid === null) throw new InvalidSandboxIdError('"cl-" and 25 characters 0-9a-z');
    return (this.flights.get(key) ?? this.takeOff(key, sandboxUuid, teamId)).then(addressOf);
  }

  private takeOff(key: string, sandboxUuid: string, teamId: string): Promise<CachedRoute> {
    if (!this.lookups.allows(teamId) || this.flights.size >= MAX_FLIGHTS) throw new TooManyLookupsError();
    const flight: Promise<CachedRoute> = this.query(sandboxUuid, teamId)
      .then((route) => {
        if (route.kind === 'missing') this.lookups.charge(teamId);
        this.attempt(() => this.cache.set(key, route, this.ttlOf(route)));
        return route;
      })
      .finally(() => {
        if (this.flights.get(key) === flight) this.flights.delete(key);
      });
    this.flights.set(key, flight);
    return flight;
  }

  private async query(sandboxUuid: string, teamId: string): Promise<CachedRoute> {
    const storedAtMs = Date.now();
    let location: SandboxLocation | null;
    try {
      location = await this.directory.locate(sandboxUuid, teamId);
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    }
    return location === null ? { kind: 'missing', storedAtMs } : { kind: 'found', ...location, storedAtMs };
  }

  private forget(event: FeedEvent): void {
    if (event.table === 'sandboxes') {
      this.evict(encodeId('cl', event.id), event.teamId);
    } else if (event.table === 'hosts' || event.table === '*') {
      // A host's address changes rarely: one query a sandbox is cheaper than an index from hosts to routes.
      this.flights.clear();
      this.allEvictedAtMs = Date.now();
      this.attempt(() => this.cache.clear());
    }
  }

  private attempt(operation: () => void | Promise<void>): void {
    try {
      const done = operation();
      if (done instanceof Promise) done.catch((error: unknown) => this.cacheFailed(error));
    } catch (error) {
      this.cacheFailed(error);
    }
  }

  private cacheFailed(error: unknown): undefined {
    this.logger.warn({ err: error }, 'the route cache failed; asking the database');
    return undefined;
  }
}

function cacheKey(sandboxId: string, teamId: string): string {
  return `${sandboxId}/${teamId}`;
}

function addressOf(route: CachedRoute): string {
  if (route.kind === 'missing') throw new SandboxNotFoundError();
  if (route.status !== 'running') throw new SandboxNotRunningError(route.status);
  return route.address;
}
