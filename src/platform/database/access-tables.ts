import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { reasonOf } from '../errors/reason-of.js';

/** How often to look for the tables again, milliseconds. */
const RECHECK_MS = 60_000;

/**
 * Which of our own tables the database has. A platform's database on which our migrations have not been run
 * (`MIGRATIONS=off`) has none: then there are no links, sessions or port settings, and no query is made for them.
 */
@Injectable()
export class AccessTables implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(AccessTables.name);
  private links = false;
  private ports = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** True if `sandbox_links` and `sandbox_sessions` exist, with all their columns. */
  get haveLinks(): boolean {
    return this.links;
  }

  /** True if `sandbox_ports` exists. */
  get havePorts(): boolean {
    return this.ports;
  }

  async onModuleInit(): Promise<void> {
    await this.detect();
    this.timer = setInterval(() => {
      this.detect().catch((error: unknown) =>
        this.logger.warn(`the tables of links and ports could not be looked for: ${reasonOf(error)}`),
      );
    }, RECHECK_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Looks for the tables now. If the database does not answer, what was known stays. */
  async detect(): Promise<void> {
    const [found] = await this.dataSource.query<{ links: boolean; ports: boolean }[]>(
      `SELECT to_regclass('sandbox_links') IS NOT NULL AND EXISTS (
                SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('sandbox_sessions')
                   AND attname = 'ended_reason' AND NOT attisdropped) AS links,
              to_regclass('sandbox_ports') IS NOT NULL AS ports`,
    );
    this.links = found?.links === true;
    this.ports = found?.ports === true;
  }
}
