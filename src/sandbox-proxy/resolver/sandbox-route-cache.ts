import { LRUCache } from 'lru-cache';

/** What the directory said of one (sandbox, team), as plain data so that any store can hold it. */
export type CachedRoute =
  | { readonly kind: 'found'; readonly status: string; readonly address: string; readonly storedAtMs: number }
  | { readonly kind: 'missing'; readonly storedAtMs: number };

/**
 * Where resolved routes are kept. Abstract class as type and DI token: provide another class under it to keep
 * routes elsewhere. Keys are `{sandboxId}/{teamId}`; the resolver itself judges an entry's age by `storedAtMs`
 * (epoch milliseconds), so a store need not expire anything, only stay bounded. A store that fails makes
 * requests slower, never wrong.
 */
export abstract class SandboxRouteCache {
  abstract get(key: string): CachedRoute | undefined | Promise<CachedRoute | undefined>;
  abstract set(key: string, route: CachedRoute, ttlMs: number): void | Promise<void>;
  abstract delete(key: string): void | Promise<void>;
  abstract clear(): void | Promise<void>;
}

/** The default: the most recently used routes in this process's memory. */
export class MemorySandboxRouteCache extends SandboxRouteCache {
  private readonly routes: LRUCache<string, CachedRoute>;

  constructor(maxEntries: number) {
    super();
    this.routes = new LRUCache({ max: maxEntries });
  }

  get(key: string): CachedRoute | undefined {
    return this.routes.get(key);
  }

  set(key: string, route: CachedRoute): void {
    this.routes.set(key, route);
  }

  delete(key: string): void {
    this.routes.delete(key);
  }

  clear(): void {
    this.routes.clear();
  }
}
