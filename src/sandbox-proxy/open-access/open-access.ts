import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ApiKeyService } from '../../platform/api-keys/api-key.service.js';
import {
  type Change,
  ChangeFeed,
  type FeedEvent,
  TTL_WITHOUT_FEED_MS,
} from '../../platform/database/change-feed.js';
import { SessionService } from '../../platform/links/session.service.js';
import { LOGGER } from '../../program/logging/logger.js';
import { PortSettingsService } from '../../platform/ports/port-settings.service.js';
import type { Admission, Ground } from '../admission/credential-scheme.js';
import { type Live, LiveGroup } from './open-group.js';

/** How often sessions that have expired are looked for, milliseconds. */
const TICK_MS = 1_000;
/** With the tick and an answer's time no more than a cached entry may live without the feed, milliseconds. */
const CHECK_WITHOUT_FEED_MS = TTL_WITHOUT_FEED_MS - 2 * TICK_MS;
/** Changes remembered apart; what is older counts as a change of everything. */
const MAX_CHANGES = 10_000;

type Concern = (admission: Admission) => boolean;

/**
 * What is open, by what it was let in by: a key, a session, a public port. When that goes, so does what it opened, also
 * streams and WebSockets that would go on for ever. The change feed says so within milliseconds; after a gap in it, and
 * every few seconds while there is none, the database is asked.
 */
@Injectable()
export class LiveAdmissions implements OnModuleInit, OnApplicationShutdown {
  /** By the key's hash. */
  private readonly byKey = new Map<string, LiveGroup>();
  /** Sessions and public ports, by the sandbox's UUID. */
  private readonly bySandbox = new Map<string, LiveGroup>();
  /** When the feed last told of a sandbox or team, by UUID, or a key, by hash; of everything: when of anything, for what found no room. */
  private readonly changedAtMs = new LRUCache<string, number>({
    max: MAX_CHANGES,
    dispose: (atMs, _id, reason) => {
      if (reason === 'evict') this.allChangedAtMs = Math.max(this.allChangedAtMs, atMs);
    },
  });
  private allChangedAtMs = -Infinity;
  private lastChangeMs = -Infinity;
  private checkedAtMs = performance.now();
  private isCheckOwed = false;
  private isChecking = false;
  private readonly ticker = setInterval(() => this.tick(), TICK_MS).unref();
  private unsubscribe: () => void = () => undefined;

  constructor(
    private readonly apiKeys: ApiKeyService,
    private readonly sessions: SessionService,
    private readonly ports: PortSettingsService,
    private readonly feed: ChangeFeed,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.feed.subscribe((event) => this.onEvent(event));
  }

  /** Not before: what is still open during a shutdown is cut like anything else. */
  onApplicationShutdown(): void {
    this.unsubscribe();
    clearInterval(this.ticker);
  }

  /**
   * @param sinceMs when the question whether to admit was first put, on the clock of `performance.now`: what the feed has
   *   told since then may be about this very admission, and is asked of the database again
   */
  add(live: Live, { teamId, ground }: Admission, sinceMs: number): void {
    const group =
      ground.kind === 'key'
        ? groupOf(this.byKey, ground.key.keyHash)
        : groupOf(this.bySandbox, sandboxOf(ground));
    group.add(live);
    if (this.lastChangeMs >= sinceMs && this.hasChanged([group.id, teamId], sinceMs))
      void this.checkGroup(group);
  }

  delete(live: Live): void {
    live.group?.delete(live);
  }

  private hasChanged(ids: readonly string[], sinceMs: number): boolean {
    if (this.allChangedAtMs >= sinceMs) return true;
    return ids.some((id) => (this.changedAtMs.get(id) ?? -Infinity) >= sinceMs);
  }

  private noteChange(event: FeedEvent): void {
    this.lastChangeMs = performance.now();
    if (event.table === '*') this.allChangedAtMs = this.lastChangeMs;
    else this.changedAtMs.set(subjectOf(event), this.lastChangeMs);
  }

  private onEvent(event: FeedEvent): void {
    this.noteChange(event);
    switch (event.table) {
      case 'team_api_keys':
        void this.recheck(this.byKey.get(event.keyHash));
        return;
      case 'sandboxes':
        // Stopped, or somewhere else: the database ends sessions of that by itself, but a port stays public.
        this.bySandbox.get(event.id)?.cut(({ ground }) => ground.kind === 'public');
        void this.recheck(this.bySandbox.get(event.id));
        return;
      case 'teams':
        return this.cutEvery(({ teamId }) => teamId === event.id);
      case 'sandbox_links':
        this.bySandbox.get(event.sandboxId)?.cut(({ ground }) => isOfLink(ground, event.id));
        return;
      case 'sandbox_ports':
        void this.recheck(this.bySandbox.get(event.sandboxId), ({ ground }) => isOfPort(ground, event.port));
        return;
      case '*':
        this.isCheckOwed = true;
        void this.check();
        return;
      default:
    }
  }

  private tick(): void {
    const now = Date.now();
    for (const groups of [this.byKey, this.bySandbox]) {
      for (const [id, group] of groups) if (group.size === 0) groups.delete(id);
    }
    for (const group of this.bySandbox.values()) group.cut(({ ground }) => isExpired(ground, now));
    if (!this.feed.isLive && performance.now() - this.checkedAtMs >= CHECK_WITHOUT_FEED_MS)
      this.isCheckOwed = true;
    if (this.isCheckOwed) void this.check();
  }

  /**
   * After a change: the feed tells of new rows too, and may do so after the first request that they let in, so that the
   * database says what has ended. Where it cannot, nobody may stay.
   */
  private async recheck(group: LiveGroup | undefined, concerns: Concern = () => true): Promise<void> {
    if (group === undefined) return;
    try {
      await this.cutEnded(group, concerns);
    } catch (error) {
      this.logger.warn({ err: error }, 'access may have been revoked; what rests on it is cut');
      group.cut(concerns, 'directory_unavailable');
    }
  }

  /** Where the database cannot say, it is asked again with the next tick. */
  private async checkGroup(group: LiveGroup): Promise<void> {
    try {
      await this.cutEnded(group, () => true);
    } catch (error) {
      this.isCheckOwed = true;
      this.logger.warn({ err: error }, 'what is open could not be checked; trying again');
    }
  }

  /** Asks the database of everything that is open, one after the other. */
  private async check(): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    this.isCheckOwed = false;
    this.checkedAtMs = performance.now();
    for (const group of [...this.byKey.values(), ...this.bySandbox.values()]) await this.checkGroup(group);
    this.isChecking = false;
  }

  /** What is added meanwhile is not asked about, and not cut. */
  private async cutEnded(group: LiveGroup, concerns: Concern): Promise<void> {
    const grounds = new Map<string, Ground>();
    for (const { admission } of group) {
      if (admission !== null && concerns(admission)) grounds.set(nameOf(admission.ground), admission.ground);
    }
    const ended = await this.ended(grounds);
    group.cut(({ ground }) => ended.has(nameOf(ground)));
  }

  /** The names of those that the database no longer lets anybody in by. */
  private async ended(grounds: ReadonlyMap<string, Ground>): Promise<Set<string>> {
    const sessionIds = [...grounds].flatMap(([name, { kind }]) => (kind === 'session' ? [name] : []));
    const sessions = sessionIds.length > 0 ? await this.sessions.remaining(sessionIds) : new Set<string>();
    const ended = new Set<string>();
    for (const [name, ground] of grounds) {
      const holds = ground.kind === 'session' ? sessions.has(name) : await this.holds(ground);
      if (!holds) ended.add(name);
    }
    return ended;
  }

  private holds(ground: Exclude<Ground, { kind: 'session' }>): Promise<boolean> {
    if (ground.kind === 'key') return this.apiKeys.holds(ground.key);
    return this.ports.isPublic(ground.settings.sandboxId, ground.settings.port);
  }

  private cutEvery(concerns: Concern): void {
    for (const groups of [this.byKey, this.bySandbox]) {
      for (const group of groups.values()) group.cut(concerns);
    }
  }
}

function groupOf(groups: Map<string, LiveGroup>, id: string): LiveGroup {
  let group = groups.get(id);
  if (group === undefined) {
    group = new LiveGroup(id);
    groups.set(id, group);
  }
  return group;
}

/** UUID. */
function sandboxOf(ground: Exclude<Ground, { kind: 'key' }>): string {
  return ground.kind === 'session' ? ground.session.sandboxId : ground.settings.sandboxId;
}

/** The id under which what rests on a change is found. */
function subjectOf(change: Change): string {
  if (change.table === 'team_api_keys') return change.keyHash;
  return 'sandboxId' in change ? change.sandboxId : change.id;
}

/** Unique among the grounds of one group. */
function nameOf(ground: Ground): string {
  if (ground.kind === 'key') return `${ground.key.teamId} ${ground.key.keyId}`;
  return ground.kind === 'session' ? ground.session.id : String(ground.settings.port);
}

function isOfLink(ground: Ground, linkId: string): boolean {
  return ground.kind === 'session' && ground.session.linkId === linkId;
}

function isOfPort(ground: Ground, port: number): boolean {
  return ground.kind === 'public' && ground.settings.port === port;
}

function isExpired(ground: Ground, nowMs: number): boolean {
  return ground.kind === 'session' && ground.session.expiresAtMs <= nowMs;
}
