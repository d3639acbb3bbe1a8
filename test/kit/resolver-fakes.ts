import type { Change } from '../../src/sandbox-proxy/contracts/changes.js';
import type {
  SandboxDirectory,
  SandboxLocation,
  SandboxOfTeam,
} from '../../src/sandbox-proxy/contracts/sandbox-directory.js';
import {
  type CachedRoute,
  SandboxRouteCache,
} from '../../src/sandbox-proxy/contracts/sandbox-route-cache.js';
import { SandboxResolverService } from '../../src/sandbox-proxy/routing/sandbox-resolver.service.js';
import { MemorySandboxRouteCache } from '../../src/sandbox-proxy/routing/sandbox-route-cache.js';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../../src/sandbox-proxy/options.js';
import { FakeFeed, HeldAnswers } from './answer-fakes.js';

export const ID = 'cl-0000000000000000000000001';
export const OTHER_ID = 'cl-0000000000000000000000002';
export const TEAM = 'team-a';
export const RUNNING: SandboxLocation = { status: 'running', address: '10.0.0.1:5000', hostId: 'host-1' };
export const MOVED: SandboxLocation = { status: 'running', address: '10.0.0.2:5000', hostId: 'host-2' };

/** The application's directory: answers what it is set to, or when the test says so. */
export class FakeDirectory extends HeldAnswers<SandboxLocation> implements SandboxDirectory {
  constructor() {
    super(RUNNING);
  }

  locate(): Promise<SandboxLocation | null> {
    return this.ask();
  }

  async locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]> {
    const answer = await this.ask();
    return pairs.map(() => answer);
  }
}

/** A store elsewhere: every answer takes a moment, and is a copy. */
export class DistantCache extends SandboxRouteCache {
  readonly texts = new Map<string, string>();
  async get(key: string): Promise<CachedRoute | undefined> {
    await Promise.resolve();
    const text = this.texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as CachedRoute);
  }
  async set(key: string, route: CachedRoute): Promise<void> {
    await Promise.resolve();
    this.texts.set(key, JSON.stringify(route));
  }
  async delete(key: string): Promise<void> {
    await Promise.resolve();
    this.texts.delete(key);
  }
  async clear(): Promise<void> {
    await Promise.resolve();
    this.texts.clear();
  }
}

/** A store with operations that fail, at once or later. */
export class BrokenCache extends SandboxRouteCache {
  private readonly routes = new Map<string, CachedRoute>();

  constructor(
    private readonly broken: readonly string[],
    private readonly isLate: boolean,
  ) {
    super();
  }
  get(key: string) {
    return this.run('get', () => this.routes.get(key)) as CachedRoute | undefined;
  }
  set(key: string, route: CachedRoute) {
    return this.run('set', () => void this.routes.set(key, route)) as void;
  }
  delete(key: string) {
    return this.run('delete', () => void this.routes.delete(key)) as void;
  }
  clear() {
    return this.run('clear', () => this.routes.clear()) as void;
  }
  private run(name: string, operation: () => unknown): unknown {
    if (!this.broken.includes(name)) return operation();
    const error = new Error(`${name} failed`);
    if (this.isLate) return Promise.reject(error);
    throw error;
  }
}

/** The resolver among fakes. */
export class FakeSurroundings {
  readonly directory = new FakeDirectory();
  readonly feed = new FakeFeed();
  readonly resolver: SandboxResolverService;

  constructor(
    cache: SandboxRouteCache = new MemorySandboxRouteCache(10),
    options: Partial<SandboxProxyOptions> = {},
  ) {
    const all = { ...SANDBOX_PROXY_DEFAULTS, ...options };
    this.resolver = new SandboxResolverService(this.directory, cache, this.feed, all);
  }

  /** Resolves to the address of the host, with what it throws at once as a rejection as well. */
  async resolve(id = ID, team = TEAM): Promise<string> {
    return (await this.resolver.resolve(id, team)).address;
  }

  forget(change: Change): void {
    this.resolver.forget(change);
  }
}
