import type { SandboxLocation } from './sandbox-directory.js';

/** What the directory said of one sandbox and team, as plain data so that any store can hold it. */
export interface CachedRoute {
  /** Null: there is no such sandbox of that team. */
  readonly value: SandboxLocation | null;
  /** When the directory was asked, epoch milliseconds. */
  readonly askedAtMs: number;
}

/**
 * Where routes are kept between requests. Without one: in this process's memory. Keys are `{sandboxId}/{teamId}`. The
 * module itself judges the age of an entry, so a store need not expire anything, only stay bounded. A store that
 * fails, hangs (0.5 s) or gives back what it was not given makes requests slower, never wrong.
 */
export abstract class SandboxRouteCache {
  abstract get(key: string): CachedRoute | null | undefined | Promise<CachedRoute | null | undefined>;
  /** @param ttlMs after which the entry is of no use to anybody */
  abstract set(key: string, route: CachedRoute, ttlMs: number): void | Promise<void>;
  abstract delete(key: string): void | Promise<void>;
  abstract clear(): void | Promise<void>;
}
