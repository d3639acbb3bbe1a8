import { pino } from 'pino';
import { ChangeFeed, type FeedEvent } from '../../src/platform/database/change-feed.js';
import type { SandboxDirectory, SandboxLocation } from '../../src/sandbox-proxy/routing/sandbox-directory.js';
import { SandboxResolverService } from '../../src/sandbox-proxy/routing/sandbox-resolver.service.js';
import {
  type CachedRoute,
  MemorySandboxRouteCache,
  SandboxRouteCache,
} from '../../src/sandbox-proxy/routing/sandbox-route-cache.js';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from '../../src/sandbox-proxy/options.js';

export const ID = 'cl-0000000000000000000000001';
export const OTHER_ID = 'cl-0000000000000000000000002';
/** What ID encodes. */
export const UUID = '00000000-0000-0000-0000-000000000001';
export const TEAM = 'team-a';
export const RUNNING: SandboxLocation = { status: 'running', address: '10.0.0.1:5000' };
export const MOVED: SandboxLocation = { status: 'running', address: '10.0.0.2:5000' };

/** The database: answers what it is set to, or when the test says so. */
export class FakeDirectory {
  location: SandboxLocation | null = RUNNING;
  asked = 0;
  isHeld = false;
  error: Error | null = null;
  private readonly held: (() => void)[] = [];

  async locate(): Promise<SandboxLocation | null> {
    this.asked += 1;
    const { location, error } = this;
    if (this.isHeld) await new Promise<void>((resolve) => void this.held.push(resolve));
    if (error !== null) throw error;
    return location;
  }

  /** Lets the oldest query that waits return what it read when it was asked. */
  async release(): Promise<void> {
    this.held.shift()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

export class FakeFeed extends ChangeFeed {
  isLive = true;
  private listener: (event: FeedEvent) => void = () => undefined;
  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.listener = listener;
    return () => (this.listener = () => undefined);
  }
  tell(event: FeedEvent): void {
    this.listener(event);
  }
}

/** A store elsewhere: every answer takes a moment, and is a copy. */
export class DistantCache extends SandboxRouteCache {
  private readonly texts = new Map<string, string>();
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

/** A memory cache with operations that fail, at once or later. */
export class BrokenCache extends SandboxRouteCache {
  private readonly inner = new MemorySandboxRouteCache(10);

  constructor(
    private readonly broken: readonly string[],
    private readonly isLate: boolean,
  ) {
    super();
  }
  get(key: string) {
    return this.run('get', () => this.inner.get(key)) as CachedRoute | undefined;
  }
  set(key: string, route: CachedRoute) {
    return this.run('set', () => this.inner.set(key, route)) as void;
  }
  delete(key: string) {
    return this.run('delete', () => this.inner.delete(key)) as void;
  }
  clear() {
    return this.run('clear', () => this.inner.clear()) as void;
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
    this.resolver = new SandboxResolverService(
      this.directory as unknown as SandboxDirectory,
      cache,
      this.feed,
      { ...SANDBOX_PROXY_DEFAULTS, ...options },
      pino({ level: 'silent' }),
    );
    this.resolver.onModuleInit();
  }

  /** Resolves, with what it throws at once as a rejection as well. */
  async resolve(id = ID, team = TEAM): Promise<string> {
    return this.resolver.resolve(id, team);
  }
}
