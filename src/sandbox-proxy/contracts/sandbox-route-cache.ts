import type { SandboxLocation } from './sandbox-directory.js';

/** What the directory answered for one sandbox and team: plain data, so that any store can hold it. */
export interface CachedRoute {
  /** Null: there is no such sandbox of that team. */
  readonly value: SandboxLocation | null;
  /** When the directory was asked, epoch milliseconds. */
  readonly askedAtMs: number;
}

/**
 * Where routes are kept between requests. Without one: in this process's memory. Keys are `{sandboxId}/{teamId}`. The
 * module itself judges the age of an entry, so a store need not expire entries, only bound their number. A store that
 * fails, takes longer than 0.5 s, or returns what it was never given makes requests slower, never wrong.
 */
export abstract class SandboxRouteCache {
  abstract get(key: string): CachedRoute | null | undefined | Promise<CachedRoute | null | undefined>;
  /** @param ttlMs after this time the entry is of no use to any process */
  abstract set(key: string, route: CachedRoute, ttlMs: number): void | Promise<void>;
  abstract delete(key: string): void | Promise<void>;
  abstract clear(): void | Promise<void>;
}
