import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AdmissionService } from '../admission/admission.service.js';
import { PortRulesService } from '../admission/port-rules.service.js';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, isChange, topicOf } from '../contracts/changes.js';
import type { Admission } from '../contracts/credential-scheme.js';
import { SandboxDirectory } from '../contracts/sandbox-directory.js';
import { accessEnded, accessUnknown } from '../exchange/cut.js';
import type { OpenGroup, OpenMember } from '../exchange/open-group.js';
import { TTL_WITHOUT_FEED_MS } from '../memory/answer-cache.js';
import { ChangeTimes } from '../memory/change-times.js';
import { SandboxResolverService } from '../routing/sandbox-resolver.service.js';
import { JoinedRechecks } from './joined-rechecks.js';
import { OpenAccess } from './open-access.js';
import { askAbout, type Asked, type Owed } from './rechecks.js';

/** How often to look for what has expired, milliseconds. */
const TICK_MS = 1_000;
/** Without a live feed, everything open is asked about this long after the last proof, milliseconds. */
const CHECK_WITHOUT_FEED_MS = TTL_WITHOUT_FEED_MS - 2 * TICK_MS;
/** What is open is cut when no store has answered about it for this long, milliseconds. */
const RECHECK_WITHIN_MS = 5_000;
/** How long to wait before a store that has failed is asked again, milliseconds. */
const RETRY_AFTER_MS = 1_000;

/**
 * What each kind of change means for the requests and tunnels that rest on it. In any case memory first forgets what it has
 * of it. Then, in this order, the stores are asked about what is open:
 *
 * - the directory: where is its sandbox? If it is deleted or another team's: cut with 404 (WebSocket 1008). If it does not
 *   run: 409 (1001, or 1012 if it only sleeps). If it has moved: 503 (1001).
 * - its credential scheme: does its admission still hold? If not: 401 (1008).
 *
 * If the stores cannot say, it is cut with 503 (1013): for `certain`, something is known to have changed, at the first
 * failure; for `possible`, something may have changed, after 5 s of trying. For `kept` nothing is asked: what is open goes
 * on where it is.
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
 * Carries out what a change means, whether the change feed tells of it or the application itself after a commit of its own
 * (read your own writes).
 */
@Injectable()
export class SandboxChanges implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('SandboxProxy');
  /** When a change was last told, by topic, on the clock of `performance.now`. */
  private readonly changes = new ChangeTimes();
  private readonly joined = new JoinedRechecks((group) => this.recheck([group], MEANING.everything));
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
    try {
      this.unsubscribe = this.feed.subscribe((change) => void this.apply(change));
    } catch (cause) {
      throw new TypeError(
        `SandboxProxyModule cannot start: ChangeFeed.subscribe() failed (${String(cause)})`,
        {
          cause,
        },
      );
    }
    this.ticker = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Not earlier in the shutdown, because until then changes still cut what is open. */
  onApplicationShutdown(): void {
    this.unsubscribe();
    clearInterval(this.ticker);
  }

  /**
   * To be called after a commit that changes anything that the stores answer. When the promise is fulfilled, this process
   * admits no request by the old state, and has cut what was open by it. Never rejects.
   */
  async apply(change: Change): Promise<void> {
    if (!isChange(change)) {
      this.logger.error('something told as a change is not one; it counts as a change of everything');
      return this.apply({ kind: 'everything' });
    }
    const topic = topicOf(change);
    this.lastChangeMs = performance.now();
    if (change.kind === 'everything') this.changes.noteAll(this.lastChangeMs);
    else this.changes.note(topic, this.lastChangeMs);
    this.admission.forget(change);
    this.ports.forget(change);
    this.resolver.forget(change);
    if (change.kind === 'sandbox') this.pool.evict(change.sandboxId);
    const groups = change.kind === 'everything' ? this.open.all() : this.open.restingOn(topic);
    await this.recheck(groups, MEANING[change.kind]);
  }

  /** Notes what an admission has opened: from now on changes that it rests on can cut it. */
  opened(member: OpenMember, admission: Admission, sandboxId: string): void {
    this.open.add(member, admission, sandboxId);
  }

  /**
   * Asks about a member again if a change that it rests on was told while it was being admitted: the answers of the stores
   * may be older than the change. Null if there was no such change.
   *
   * @param sinceMs when the first question was asked, on the clock of `performance.now`
   */
  recheckIfChanged({ group }: OpenMember, sinceMs: number): Promise<true> | null {
    if (group === null || this.lastChangeMs < sinceMs || this.changes.lastOf(group.topics) < sinceMs)
      return null;
    return this.joined.of(group);
  }

  /** What is done once a second; public for tests that cannot wait. */
  tick(): void {
    this.open.sweep();
    const now = Date.now();
    for (const group of this.open.all()) {
      const { expiresAtMs, scheme } = group.admission;
      if (expiresAtMs === undefined) continue;
      if (expiresAtMs <= now) group.cut(group.snapshot(), accessEnded('expired', scheme.endedCode));
      else if (group.size > 0) scheme.inUse?.(group.admission);
    }
    if (this.feed.isLive) return;
    // A time in the future is from before the clock was set back: its true age is unknown.
    const provenAtMs = [this.checkedAtMs, this.feed.provenAtMs].filter((atMs) => atMs <= now);
    if (now - Math.max(...provenAtMs) >= CHECK_WITHOUT_FEED_MS) void this.checkAll();
  }

  private async checkAll(): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    this.checkedAtMs = Date.now();
    try {
      await this.recheck(this.open.all(), MEANING.everything);
    } finally {
      this.isChecking = false;
    }
  }

  /** Asks about these groups, and cuts those that the stores could say nothing about. */
  private async recheck(
    groups: readonly OpenGroup[],
    meaning: (typeof MEANING)[Change['kind']],
  ): Promise<void> {
    const open: Asked[] = groups
      .filter(({ size }) => size > 0)
      .map((group) => ({ group, members: group.snapshot() }));
    if (meaning === 'kept' || open.length === 0) return;
    const owed: Owed = { locations: new Set(open), admissions: new Set(open) };
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, RECHECK_WITHIN_MS, 'late').unref();
    });
    await this.askUntil(isLate, owed, meaning);
    clearTimeout(timer);
    const unknown = new Set([...owed.locations, ...owed.admissions]);
    for (const { group, members } of unknown) group.cut(members, accessUnknown());
  }

  private async askUntil(
    isLate: Promise<'late'>,
    owed: Owed,
    meaning: 'certain' | 'possible',
  ): Promise<void> {
    for (;;) {
      const asking = askAbout(owed, this.directory).then(() => 'done' as const, String);
      const outcome = await Promise.race([isLate, asking]);
      if (outcome === 'done') return;
      this.logger.warn(`what is open could not be checked (${outcome})`);
      if (outcome === 'late' || meaning === 'certain') return;
      await Promise.race([isLate, new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS).unref())]);
    }
  }
}
