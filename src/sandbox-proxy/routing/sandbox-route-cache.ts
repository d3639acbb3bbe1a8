import { Logger } from '@nestjs/common';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { type CachedRoute, SandboxRouteCache } from '../contracts/sandbox-route-cache.js';
import type { SandboxLocation } from '../contracts/sandbox-directory.js';
import { type AnswerMemory, answerInTime } from '../memory/answer-cache.js';
import { ChangeTimes } from '../memory/change-times.js';
import { MemoryAnswers } from '../memory/memory-answers.js';
import { RepeatedLines } from '../memory/repeated-lines.js';
import { isLocation, topicsOfRoute } from './routes.js';

/** How long to wait for a store outside this process, milliseconds; then the directory is asked. */
const STORE_TIMEOUT_MS = 500;

/** The default: the most recently used routes in this process's memory. */
export class MemorySandboxRouteCache extends SandboxRouteCache {
  readonly answers: MemoryAnswers<SandboxLocation>;

  constructor(maxEntries: number) {
    super();
    this.answers = new MemoryAnswers(maxEntries, topicsOfRoute);
  }

  get(key: string): CachedRoute | undefined {
    return this.answers.get(key);
  }

  set(key: string, route: CachedRoute): void {
    this.answers.set(key, route);
  }

  delete(key: string): void {
    this.answers.delete(key);
  }

  clear(): void {
    this.answers.clear();
  }
}

/** The memory behind a route cache: the default's own; any other store is wrapped in `StoredRoutes`. */
export function routeMemoryOf(cache: SandboxRouteCache): AnswerMemory<SandboxLocation> {
  return cache instanceof MemorySandboxRouteCache ? cache.answers : new StoredRoutes(cache);
}

/**
 * Routes in a store of the application, which may be shared with other processes, be slow, fail, or hold anything. Changes
 * are remembered here, and an entry whose question was asked before a change of it is not believed.
 */
export class StoredRoutes implements AnswerMemory<SandboxLocation> {
  readonly topicsOf = topicsOfRoute;
  private readonly logger = new Logger('SandboxProxy');
  private readonly failures = new RepeatedLines();
  /** By key and by topic, epoch milliseconds. This process has missed all changes before its start. */
  private readonly changes = new ChangeTimes(Date.now() - 1);

  constructor(private readonly store: SandboxRouteCache) {}

  get(key: string): MaybePromise<CachedRoute | undefined> {
    try {
      const found = this.store.get(key);
      if (!(found instanceof Promise)) return this.believed(key, found);
      return answerInTime(() => found, STORE_TIMEOUT_MS).then(
        (route) => this.believed(key, route),
        (error: unknown) => this.failed(error),
      );
    } catch (error) {
      return this.failed(error);
    }
  }

  set(key: string, route: CachedRoute, ttlMs: number): void {
    this.attempt(() => this.store.set(key, route, ttlMs));
  }

  delete(key: string): void {
    this.changes.note(key, Date.now());
    this.attempt(() => this.store.delete(key));
  }

  deleteTopic(topic: string): void {
    this.changes.note(topic, Date.now());
  }

  clear(): void {
    this.changes.noteAll(Date.now());
    this.attempt(() => this.store.clear());
  }

  private believed(key: string, route: unknown): CachedRoute | undefined {
    if (!isCachedRoute(route)) return undefined;
    const changedAtMs = this.changes.lastOf([key, ...topicsOfRoute(key, route.value)]);
    return route.askedAtMs <= changedAtMs ? undefined : route;
  }

  private attempt(operation: () => void | Promise<void>): void {
    try {
      const done = operation();
      if (done instanceof Promise) done.catch((error: unknown) => this.failed(error));
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): undefined {
    if (this.failures.pass() === null) return undefined;
    this.logger.warn(`the route cache failed; asking the directory (${String(error)})`);
    return undefined;
  }
}

/** True for a route as the module stores it: a store outside this process may hold anything. */
function isCachedRoute(value: unknown): value is CachedRoute {
  if (typeof value !== 'object' || value === null) return false;
  const { value: location, askedAtMs } = value as Record<string, unknown>;
  return typeof askedAtMs === 'number' && (location === null || isLocation(location));
}
