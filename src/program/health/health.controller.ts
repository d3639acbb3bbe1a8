import { Controller, Get, Inject, Res } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { Configuration } from '../config/configuration.js';
import { PostgresChangeFeed } from '../../platform/proxy-adapter/postgres-change-feed.js';
import { LOGGER } from '../logging/logger.js';
import { Lifecycle } from './lifecycle.js';

/** One line of `/readyz`: `ok`, or what is wrong. */
type Checks = Readonly<Record<'database' | 'changeFeed' | 'lifecycle', string>>;

/** What orchestrators and load balancers ask: is the process alive, and should it get traffic. */
@Controller()
export class HealthController {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly feed: PostgresChangeFeed,
    private readonly lifecycle: Lifecycle,
    private readonly configuration: Configuration,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get('healthz')
  alive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 with all checks `ok`, otherwise 503; the body says which check failed. */
  @Get('readyz')
  async ready(@Res({ passthrough: true }) response: Response): Promise<{ status: string; checks: Checks }> {
    const database = await this.#database();
    const changeFeed = this.feed.state === 'live' ? 'ok' : this.feed.state;
    const lifecycle = this.lifecycle.isDraining ? 'draining' : 'ok';
    // without our migrations nobody promised triggers: slower news, and still a working proxy
    const isFeedAccepted =
      changeFeed === 'ok' || (changeFeed === 'absent' && this.configuration.MIGRATIONS === 'off');
    const isReady = database === 'ok' && isFeedAccepted && lifecycle === 'ok';
    response.status(isReady ? 200 : 503);
    return { status: isReady ? 'ok' : 'unavailable', checks: { database, changeFeed, lifecycle } };
  }

  async #database(): Promise<'ok' | 'unavailable'> {
    try {
      await this.dataSource.query('SELECT 1');
      return 'ok';
    } catch (error) {
      this.logger.warn({ err: error }, 'readiness: the database does not answer');
      return 'unavailable';
    }
  }
}
