import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { ChangeFeed, type FeedEvent } from '../database/change-feed.js';
import { FeedCache } from '../database/feed-cache.js';
import type { CorsSetting, Visibility } from './sandbox-port.entity.js';

/** How long settings may be served from memory, milliseconds. */
const TTL_MS = 120_000;
const MAX_PORTS = 10_000;
/** Where the database has no table of settings, it is looked for again after this long, milliseconds. */
const TABLE_CHECK_MS = 60_000;

/** What a port's owner has said of it. */
export interface PortSettings {
  /** UUIDs. */
  readonly sandboxId: string;
  readonly teamId: string;
  readonly port: number;
  readonly visibility: Visibility;
  readonly cors: CorsSetting;
}

/** The settings of ports, from memory where possible. */
@Injectable()
export class PortSettingsService implements OnApplicationShutdown {
  private readonly cache: FeedCache<PortSettings>;
  private hasTable = false;
  private checkedAtMs = -Infinity;
  private readonly unsubscribe: () => void;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    feed: ChangeFeed,
  ) {
    this.cache = new FeedCache({ feed, clock: () => performance.now(), ttlMs: TTL_MS, max: MAX_PORTS });
    this.unsubscribe = feed.subscribe((event) => this.evict(event));
  }

  /**
   * Null for a port without settings of its own (private, CORS left to the app), or of a sandbox that does not exist.
   * Synchronous where memory has the answer.
   *
   * @param sandboxId UUID
   * @param beforeAsking called where the database has to be asked; may refuse by throwing
   * @throws DirectoryUnavailableError (also as a rejection) when the database cannot say
   */
  find(
    sandboxId: string,
    port: number,
    beforeAsking?: () => void,
  ): PortSettings | null | Promise<PortSettings | null> {
    return this.cache.get(`${sandboxId}:${port}`, () => this.ask(sandboxId, port), beforeAsking);
  }

  /** Whether the port is public now; asked of the database, past every cache. */
  async isPublic(sandboxId: string, port: number): Promise<boolean> {
    return (await this.ask(sandboxId, port))?.visibility === 'public';
  }

  /** Forgets settings that were just changed here, without waiting for the database to say so. */
  forget(sandboxId: string, port: number): void {
    this.cache.forget(`${sandboxId}:${port}`);
  }

  onApplicationShutdown(): void {
    this.unsubscribe();
  }

  private async ask(sandboxId: string, port: number): Promise<PortSettings | null> {
    if (!(await this.tableExists())) return null;
    const [settings] = await this.dataSource.query<PortSettings[]>(
      `SELECT s.id AS "sandboxId", s.team_id AS "teamId", p.port, p.visibility, p.cors
         FROM sandbox_ports p
         JOIN sandboxes s ON s.id = p.sandbox_id
         JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
        WHERE p.sandbox_id = $1 AND p.port = $2`,
      [sandboxId, port],
    );
    return settings ?? null;
  }

  /** False on a database of the platform that our migrations have not been run on (`MIGRATIONS=off`). */
  private async tableExists(): Promise<boolean> {
    const now = performance.now();
    if (this.hasTable || now - this.checkedAtMs < TABLE_CHECK_MS) return this.hasTable;
    const [found] = await this.dataSource.query<{ exists: boolean }[]>(
      `SELECT to_regclass('sandbox_ports') IS NOT NULL AS exists`,
    );
    this.hasTable = found?.exists === true;
    this.checkedAtMs = now;
    return this.hasTable;
  }

  private evict(event: FeedEvent): void {
    if (event.table === 'sandbox_ports') this.forget(event.sandboxId, event.port);
    else if (event.table === 'sandboxes') this.cache.forgetWhere(({ sandboxId }) => sandboxId === event.id);
    else if (event.table === 'teams') this.cache.forgetWhere(({ teamId }) => teamId === event.id);
    else if (event.table === '*') this.cache.clear();
  }
}
