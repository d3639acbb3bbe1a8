import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AdmissionService } from '../admission/admission.service.js';
import { PortRulesService } from '../admission/port-rules.service.js';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import type { Admission } from '../contracts/credential-scheme.js';
import { SandboxDirectory } from '../contracts/sandbox-directory.js';
import { accessExpired, accessUnknown } from '../exchange/cut.js';
import type { OpenGroup, OpenMember } from '../exchange/open-group.js';
import { TTL_WITHOUT_FEED_MS } from '../memory/answer-cache.js';
import { SandboxResolverService } from '../routing/sandbox-resolver.service.js';
import { OpenAccess } from './open-access.js';
import { recheckAdmissions, recheckLocations } from './rechecks.js';

/** How often what has expired is looked for, milliseconds. */
const TICK_MS = 1_000;
/** Where no feed is live, everything open is asked about this long after the last proof, milliseconds. */
const CHECK_WITHOUT_FEED_MS = TTL_WITHOUT_FEED_MS - 2 * TICK_MS;
/** What cannot be asked about for this long is cut, milliseconds. */
const RECHECK_WITHIN_MS = 5_000;
/** Changes remembered apart; what is older counts as a change of everything. */
const MAX_CHANGES = 10_000;

/**
 * What each kind of change means for what is open and rests on it; what memory holds of it is forgotten in any case,
 * before anything is asked. Asked about are, in this order:
 *
 * - the directory: where its sandbox is. What leads to one that is deleted or another team's is ended with 404 (WebSocket
 *   1008), to one that does not run with 409 (1001; 1012 where it only sleeps), to one that has moved with 503 (1001).
 * - its credential scheme: whether what has let it in still holds. What does not is ended with 401 (1008).
 *
 * What nobody can say anything of is ended with 503 (1013): at the first failure where something is known to have changed
 * (`certain`), after 5 s of trying where something may have (`possible`). `kept`: what is open goes on where it is.
 */
const MEANING: Readonly<Record<Change['kind'], 'certain' | 'possible' | 'kept'>> = {
  credential: 'certain',
  team: 'certain',
  port: 'certain',
  sandbox: 'certain',
  host: 'kept',
  everything: 'possible',
};

/**
 * Carries out what a change means, whoever tells of it: the change feed, or the application itself after a commit of its
 * own (read your own writes).
 */
@Injectable()
export class SandboxChanges implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('SandboxProxy');
  /** When a change was last told, by topic, on the clock of `performance.now`. */
  private readonly changedAtMs = new LRUCache<string, number>({
    max: MAX_CHANGES,
    dispose: (atMs, _topic, reason) => {
      if (reason === 'evict') this.allChangedAtMs = Math.max(this.allChangedAtMs, atMs);
    },
  });
  private allChangedAtMs = -Infinity;
  private lastChangeMs = -Infinity;
  private checkedAtMs = Date.now();
  private isChecking = false;
  private ticker: NodeJS.Timeout | undefined;
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly admission: AdmissionService,
    private readonly ports: PortRulesService,
    private readonly resolver: SandboxResolverService,
    private readonly pool: HostClientPool,
    private readonly directory: SandboxDirectory,
    private readonly feed: ChangeFeed,
    private readonly open: OpenAccess,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.feed.subscribe((change) => void this.apply(change));
    this.ticker = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Not before: what is still open during a shutdown is cut like anything else. */
  onApplicationShutdown(): void {
    this.unsubscribe();
    clearInterval(this.ticker);
  }

  /**
   * To be called after a commit that changes anything that the contracts tell of. When the promise is fulfilled, no
   * request is let in by what was before, and what was open by it has been ended, in this process. Never rejects.
   */
  async apply(change: Change): Promise<void> {
    const topic = topicOf(change);
    this.lastChangeMs = performance.now();
    if (change.kind === 'everything') this.allChangedAtMs = this.lastChangeMs;
    else this.changedAtMs.set(topic, this.lastChangeMs);
    this.admission.forget(change);
    this.ports.forget(change);
    this.resolver.forget(change);
    if (change.kind === 'sandbox') this.pool.evict(change.sandboxId);
    const groups = change.kind === 'everything' ? this.open.all() : this.open.restingOn(topic);
    await this.recheck(groups, MEANING[change.kind]);
  }

  /**
   * Notes what an admission has opened.
   *
   * @param sinceMs when the question whether to admit was first put, on the clock of `performance.now`: a change told since
   *   then may be about this very admission, which is asked about again
   */
  opened(member: OpenMember, admission: Admission, sandboxId: string, sinceMs: number): void {
    const group = this.open.add(member, admission, sandboxId);
    if (this.lastChangeMs >= sinceMs && this.hasChanged(group, sinceMs))
      void this.recheck([group], MEANING.everything);
  }

  /** Moves on by a second; for tests that cannot wait. */
  tick(): void {
    this.open.sweep();
    const now = Date.now();
    for (const group of this.open.all()) {
      const { expiresAtMs } = group.admission;
      if (expiresAtMs !== undefined && expiresAtMs <= now) group.cut(group.snapshot(), accessExpired());
    }
    if (this.feed.isLive) return;
    if (now - Math.max(this.checkedAtMs, this.feed.provenAtMs) >= CHECK_WITHOUT_FEED_MS) void this.checkAll();
  }

  private hasChanged({ topics }: OpenGroup, sinceMs: number): boolean {
    if (this.allChangedAtMs >= sinceMs) return true;
    return topics.some((topic) => (this.changedAtMs.get(topic) ?? -Infinity) >= sinceMs);
  }

  private async checkAll(): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    await this.recheck(this.open.all(), MEANING.everything);
    this.checkedAtMs = Date.now();
    this.isChecking = false;
  }

  private async recheck(
    groups: readonly OpenGroup[],
    meaning: (typeof MEANING)[Change['kind']],
  ): Promise<void> {
    if (meaning === 'kept' || groups.every(({ size }) => size === 0)) return;
    const members = groups.map((group) => group.snapshot());
    const ask = async (): Promise<void> => {
      // First: that a sandbox is paused says more than that its sessions have ended with that.
      await recheckLocations(groups, this.directory);
      await recheckAdmissions(groups);
    };
    const isLate = sleep(RECHECK_WITHIN_MS, 'late' as const, { ref: false });
    for (;;) {
      const outcome = await Promise.race([isLate, ask().then(() => 'done' as const, reasonOf)]);
      if (outcome === 'done') return;
      this.logger.warn(`what is open could not be checked (${outcome})`);
      if (outcome === 'late' || meaning === 'certain') break;
      await Promise.race([isLate, sleep(TICK_MS, undefined, { ref: false })]);
    }
    for (const [i, group] of groups.entries()) group.cut(members[i] ?? [], accessUnknown());
  }
}

function reasonOf(error: unknown): string {
  return String(error);
}
