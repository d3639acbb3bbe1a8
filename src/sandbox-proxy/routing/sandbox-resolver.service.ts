import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed } from '../contracts/change-feed.js';
import type { Change } from '../contracts/changes.js';
import { checkContracts } from '../contracts/check-contracts.js';
import { FORMS } from '../contracts/forms.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import { SandboxDirectory, type SandboxLocation } from '../contracts/sandbox-directory.js';
import { SandboxRouteCache } from '../contracts/sandbox-route-cache.js';
import { SandboxNotFoundError, TooManyLookupsError } from '../errors.js';
import { AnswerCache } from '../memory/answer-cache.js';
import { LookupBudget } from '../memory/lookup-budget.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { isLocation, routeKey } from './routes.js';
import { routeMemoryOf } from './sandbox-route-cache.js';

/** Most questions to the directory under way at a time. */
const MAX_FLIGHTS = 20_000;
/** How many questions of one team may find nothing; no more of them are under way at a time. */
const ALLOWANCE = { burst: 5_000, perSecond: 100 };
/** An app can answer 502 as often as it likes. Such answers evict a route at most this often, milliseconds. */
const SUSPICION_INTERVAL_MS = 1_000;

/** Step 5 of a request: where a sandbox is now. From memory, or by one question however many requests wait for it. */
@Injectable()
export class SandboxResolverService {
  private readonly routes: AnswerCache<SandboxLocation>;
  private readonly lookups = new LookupBudget(() => performance.now(), ALLOWANCE);
  private readonly suspectedAtMs = new LRUCache<string, number>({ max: 10_000 });

  constructor(
    private readonly directory: SandboxDirectory,
    cache: SandboxRouteCache,
    feed: ChangeFeed,
    @Inject(SANDBOX_PROXY_OPTIONS) options: SandboxProxyOptions,
  ) {
    checkContracts([[FORMS.routeCache, cache]]);
    this.routes = new AnswerCache({
      memory: routeMemoryOf(cache),
      feed,
      ttlMs: options.routeCacheTtlMs,
      maxFlights: MAX_FLIGHTS,
      isAnswer: isLocation,
      isNegative: ({ status }) => status !== 'running',
    });
  }

  /**
   * Where the sandbox of that team is, and whether it runs.
   *
   * @throws SandboxNotFoundError, TooManyLookupsError, DirectoryUnavailableError
   */
  resolve(sandboxId: string, teamId: string): MaybePromise<SandboxLocation> {
    const found = this.routes.get(
      routeKey(sandboxId, teamId),
      () => this.lookups.ask(teamId, () => this.directory.locate(sandboxId, teamId)),
      () => this.payFor(teamId),
    );
    return whenReady(found, existing);
  }

  /** Forgets one route, because following it failed. */
  evict(sandboxId: string, teamId: string): void {
    this.routes.delete(routeKey(sandboxId, teamId));
  }

  /** The same where the app itself may have caused the failure: at most once a second. */
  evictSuspected(sandboxId: string, teamId: string): void {
    const now = performance.now();
    if (now - (this.suspectedAtMs.get(sandboxId) ?? -Infinity) < SUSPICION_INTERVAL_MS) return;
    this.suspectedAtMs.set(sandboxId, now);
    this.evict(sandboxId, teamId);
  }

  /** Forgets what a change concerns. */
  forget(change: Change): void {
    this.routes.forget(change);
  }

  private payFor(teamId: string): void {
    if (!this.lookups.reserve(teamId)) throw new TooManyLookupsError();
  }
}

function existing(location: SandboxLocation | null): SandboxLocation {
  if (location === null) throw new SandboxNotFoundError();
  return location;
}
