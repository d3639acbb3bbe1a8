import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { type FeedState, PostgresChangeFeed } from '../../platform/proxy-adapter/postgres-change-feed.js';
import { SandboxProxy } from '../../sandbox-proxy/index.js';
import { Configuration } from '../config/configuration.js';
import { DatabaseCheck } from './database-check.js';

/** One line of `/readyz`: `ok`, or what is wrong. */
type Checks = Readonly<Record<'database' | 'changeFeed' | 'lifecycle', string>>;

const FEED_CHECK: Readonly<Record<FeedState, string>> = {
  live: 'ok',
  down: 'down',
  absent: 'absent',
  deaf: 'deaf: is a pooler in transaction mode in between? set FEED_DATABASE_URL',
};

/** For orchestrators and load balancers: is the process alive, and should it get traffic? */
@Controller()
export class HealthController {
  constructor(
    private readonly database: DatabaseCheck,
    private readonly feed: PostgresChangeFeed,
    private readonly proxy: SandboxProxy,
    private readonly configuration: Configuration,
  ) {}

  @Get('healthz')
  alive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 200 with all checks `ok`, otherwise 503; the body says which check failed. */
  @Get('readyz')
  async ready(@Res({ passthrough: true }) response: Response): Promise<{ status: string; checks: Checks }> {
    const database = (await this.database.isAnswering()) ? 'ok' : 'unavailable';
    const { state } = this.feed;
    const lifecycle = this.proxy.state.isDraining ? 'draining' : 'ok';
    // without our migrations no triggers are expected: the proxy works, and only hears of changes later
    const isFeedAccepted =
      state === 'live' || (state === 'absent' && this.configuration.MIGRATIONS === 'off');
    const isReady = database === 'ok' && isFeedAccepted && lifecycle === 'ok';
    response.status(isReady ? 200 : 503);
    return {
      status: isReady ? 'ok' : 'unavailable',
      checks: { database, changeFeed: FEED_CHECK[state], lifecycle },
    };
  }
}
