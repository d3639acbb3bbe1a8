import { LRUCache } from 'lru-cache';

/** What the directory said of one (sandbox, team), as plain data so that any store can hold it. */
export type CachedRoute =
  | { readonly kind: 'found'; readonly status: string; readonly address: string; readonly storedAtMs: number }
  | { readonly kind: 'missing'; readonly storedAtMs: number };

/**
 * Where resolved routes are kept. Abstract class as type and DI token: provide another class under it to keep
 * routes elsewhere. Keys are `{sandboxId}/{teamId}`; the resolver itself judges an entry's age by `storedAtMs`
 * (epoch milliseconds), so a store need not expire anything, only stay bounded. A store that fails, hangs or gives
 * back what it was not given makes requests slower, never wrong.
 */
export abstract class SandboxRouteCache {
  abstract get(key: string): CachedRoute | null | undefined | Promise<CachedRoute | null | undefined>;
  abstract set(key: string, route: CachedRoute, ttlMs: number): void | Promise<void>;
  abstract delete(key: string): void | Promise<void>;
  abstract clear(): void | Promise<void>;
}

/** True for what a resolver has stored; a store outside this process may hold anything. */
export function isCachedRoute(value: unknown): value is CachedRoute {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, storedAtMs, status, address } = value as Record<string, unknown>;
  if (typeof storedAtMs !== 'number') return false;
  return (
    kind === 'missing' || (kind === 'found' && typeof status === 'string' && typeof address === 'string')
  );
}

/**
 * The default: the most recently used routes in this process's memory. Those that lead nowhere are kept apart, so
 * that asking for sandboxes that do not exist pushes out no route that is in use.
 */
export class MemorySandboxRouteCache extends SandboxRouteCache {
  private readonly found: LRUCache<string, CachedRoute>;
  private readonly missing: LRUCache<string, CachedRoute>;

  constructor(maxEntries: number) {
    super();
    this.found = new LRUCache({ max: maxEntries });
    this.missing = new LRUCache({ max: maxEntries });
  }

  get(key: string): CachedRoute | undefined {
    return this.found.get(key) ?? this.missing.get(key);
  }

  set(key: string, route: CachedRoute): void {
    this.delete(key);
    (route.kind === 'found' ? this.found : this.missing).set(key, route);
  }

  delete(key: string): void {
    this.found.delete(key);
    this.missing.delete(key);
  }

  clear(): void {
    this.found.clear();
    this.missing.clear();
  }
}
