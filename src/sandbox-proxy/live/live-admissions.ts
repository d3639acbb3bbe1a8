import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ApiKeyService } from '../../api-keys/api-key.service.js';
import { ChangeFeed, type FeedEvent, TTL_WITHOUT_FEED_MS } from '../../database/change-feed.js';
import { SessionService } from '../../links/session.service.js';
import { LOGGER } from '../../logging/logger.js';
import { PortSettingsService } from '../../ports/port-settings.service.js';
import type { Admission, Ground } from '../admission/credential-scheme.js';

/** How often sessions that have expired are looked for, milliseconds. */
const TICK_MS = 1_000;
/** With the tick and an answer's time no more than a cached entry may live without the feed, milliseconds. */
const CHECK_WITHOUT_FEED_MS = TTL_WITHOUT_FEED_MS - 2 * TICK_MS;
/** Changes remembered apart; what is older counts as a change of everything. */
const MAX_CHANGES = 10_000;

type KeyChange = Extract<FeedEvent, { table: 'team_api_keys' }>;

/** Something open that an admission has opened: a request under way, or a tunnel. */
export interface Live {
  readonly admission: Admission | null;
  /** Ends it, now: what it rests on is gone. */
  cut(): void;
}

/**
 * What is open, by what it was let in by: a key, a session, a public port. When that goes, so does what it opened, also
 * streams and WebSockets that would go on for ever. The change feed says so within milliseconds; after a gap in it, and
 * every few seconds while there is none, the database is asked.
 */
@Injectable()
export class LiveAdmissions implements OnModuleInit, OnApplicationShutdown {
  /** By the key's UUID. */
  private readonly byKey = new Map<string, Set<Live>>();
  /** Sessions and public ports, by the sandbox's UUID. */
  private readonly bySandbox = new Map<string, Set<Live>>();
  /** When the feed last told of a sandbox, team or key, by UUID; of everything: when of anything, for what found no room. */
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
    const [groups, id] = this.placeOf(ground);
    let group = groups.get(id);
    if (group === undefined) {
      group = new Set();
      groups.set(id, group);
    }
    group.add(live);
    if (this.lastChangeMs >= sinceMs && this.hasChanged([id, teamId], sinceMs))
      void this.checkGroup(ground, group);
  }

  delete(live: Live, { ground }: Admission): void {
    const [groups, id] = this.placeOf(ground);
    groups.get(id)?.delete(live);
  }

  private placeOf(ground: Ground): [Map<string, Set<Live>>, string] {
    if (ground.kind === 'key') return [this.byKey, ground.keyId];
    const { sandboxId } = ground.kind === 'session' ? ground.session : ground.settings;
    return [this.bySandbox, sandboxId];
  }

  private hasChanged(ids: readonly string[], sinceMs: number): boolean {
    if (this.allChangedAtMs >= sinceMs) return true;
    return ids.some((id) => (this.changedAtMs.get(id) ?? -Infinity) >= sinceMs);
  }

  private noteChange(event: FeedEvent): void {
    this.lastChangeMs = performance.now();
    if (event.table === '*') this.allChangedAtMs = this.lastChangeMs;
    else this.changedAtMs.set('sandboxId' in event ? event.sandboxId : event.id, this.lastChangeMs);
  }

  private onEvent(event: FeedEvent): void {
    this.noteChange(event);
    switch (event.table) {
      case 'team_api_keys':
        void this.checkKey(event);
        return;
      case 'sandboxes':
        cutAll(this.bySandbox.get(event.id), ({ ground }) => ground.kind === 'public');
        void this.checkSessions(event.id);
        return;
      case 'teams':
        return this.cutEvery(({ teamId }) => teamId === event.id);
      case 'sandbox_links':
        return cutAll(this.bySandbox.get(event.sandboxId), ({ ground }) => isOfLink(ground, event.id));
      case 'sandbox_ports':
        void this.checkPort(event.sandboxId, event.port);
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
    for (const group of this.bySandbox.values()) cutAll(group, ({ ground }) => isExpired(ground, now));
    if (!this.feed.isLive && performance.now() - this.checkedAtMs >= CHECK_WITHOUT_FEED_MS)
      this.isCheckOwed = true;
    if (this.isCheckOwed) void this.check();
  }

  /** Where the database cannot say, it is asked again with the next tick. */
  private async checkGroup(ground: Ground, group: Set<Live>): Promise<void> {
    try {
      if (ground.kind !== 'key') await this.checkSandbox(this.placeOf(ground)[1], group);
      else if (!(await this.apiKeys.exists(ground.keyId))) cutAll(group);
    } catch (error) {
      this.isCheckOwed = true;
      this.logger.warn({ err: error }, 'what is open could not be checked; trying again');
    }
  }

  /**
   * The feed tells of a new row too, and may do so after the first request that it let in: what is still as the feed says
   * it was is left alone. Where the database cannot say, nobody may stay.
   */
  private async checkKey(key: KeyChange): Promise<void> {
    const group = this.byKey.get(key.id);
    if (group === undefined || group.size === 0) return;
    try {
      if (await this.apiKeys.isUnchanged(key)) return;
    } catch (error) {
      this.logger.warn({ err: error }, 'a key may have been deleted; its connections are cut');
    }
    cutAll(group);
  }

  /** The database itself ends the sessions of a sandbox that stops or moves; a change that ends none cuts none. */
  private async checkSessions(sandboxId: string): Promise<void> {
    const group = this.bySandbox.get(sandboxId);
    if (group === undefined || group.size === 0) return;
    const remaining = await this.remainingSessions(group);
    cutAll(group, ({ ground }) => ground.kind === 'session' && !remaining.has(ground.session.id));
  }

  /** Where the database cannot say, none remains. */
  private async remainingSessions(group: Set<Live>): Promise<Set<string>> {
    try {
      return await this.sessions.remaining(sessionIdsOf(group));
    } catch (error) {
      this.logger.warn({ err: error }, 'sessions may have ended; their connections are cut');
      return new Set();
    }
  }

  private async checkPort(sandboxId: string, port: number): Promise<void> {
    const group = this.bySandbox.get(sandboxId);
    if (group === undefined) return;
    const isPublic = await this.isPublic(sandboxId, port);
    if (!isPublic) cutAll(group, ({ ground }) => isOfPublicPort(ground, port));
  }

  /** Where the database cannot say, nobody may stay: anyone could have come in. */
  private async isPublic(sandboxId: string, port: number): Promise<boolean> {
    try {
      return await this.ports.isPublic(sandboxId, port);
    } catch (error) {
      this.logger.warn({ err: error }, 'a port may have become private; its connections are cut');
      return false;
    }
  }

  /** Asks the database of everything that is open, one after the other. */
  private async check(): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    this.isCheckOwed = false;
    this.checkedAtMs = performance.now();
    for (const group of [...this.byKey.values(), ...this.bySandbox.values()]) {
      const [first] = group;
      if (first !== undefined && first.admission !== null)
        await this.checkGroup(first.admission.ground, group);
    }
    this.isChecking = false;
  }

  private async checkSandbox(sandboxId: string, group: Set<Live>): Promise<void> {
    const sessionIds = sessionIdsOf(group);
    const publicPorts = new Set<number>();
    for (const { admission } of group) {
      if (admission?.ground.kind === 'public') publicPorts.add(admission.ground.settings.port);
    }
    if (sessionIds.length > 0) {
      const remaining = await this.sessions.remaining(sessionIds);
      cutAll(group, ({ ground }) => ground.kind === 'session' && !remaining.has(ground.session.id));
    }
    for (const port of publicPorts) {
      if (!(await this.ports.isPublic(sandboxId, port)))
        cutAll(group, ({ ground }) => isOfPublicPort(ground, port));
    }
  }

  private cutEvery(concerns: (admission: Admission) => boolean): void {
    for (const groups of [this.byKey, this.bySandbox]) {
      for (const group of groups.values()) cutAll(group, concerns);
    }
  }
}

function cutAll(
  group: Set<Live> | undefined,
  concerns: (admission: Admission) => boolean = () => true,
): void {
  if (group === undefined) return;
  for (const live of group) {
    if (live.admission === null || !concerns(live.admission)) continue;
    group.delete(live);
    live.cut();
  }
}

function sessionIdsOf(group: Set<Live>): string[] {
  const ids = new Set<string>();
  for (const { admission } of group) {
    if (admission?.ground.kind === 'session') ids.add(admission.ground.session.id);
  }
  return [...ids];
}

function isOfLink(ground: Ground, linkId: string): boolean {
  return ground.kind === 'session' && ground.session.linkId === linkId;
}

function isOfPublicPort(ground: Ground, port: number): boolean {
  return ground.kind === 'public' && ground.settings.port === port;
}

function isExpired(ground: Ground, nowMs: number): boolean {
  return ground.kind === 'session' && ground.session.expiresAtMs <= nowMs;
}
