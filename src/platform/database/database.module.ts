import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChangeFeed } from './change-feed.js';
import { dataSourceOptions } from './data-source.js';
import { openDatabase } from './open-database.js';
import { CHANGE_FEED_OPTIONS, type ChangeFeedOptions, PostgresChangeFeed } from './postgres-change-feed.js';

/**
 * How often a connection that has fallen silent is asked whether it still lives, and how long it may take to say so, ms.
 * Together no more than the time for which entries are trusted without a feed (`TTL_WITHOUT_FEED_MS`).
 */
const HEARTBEAT_MS = 3_000;
const FEED_TIMEOUT_MS = 2_000;

/** TypeORM's data source on a schema brought up to date, and the feed of changes, for every module. */
@Module({})
export class DatabaseModule {
  static forRoot(url: string, migrations: 'auto' | 'off'): DynamicModule {
    const feedOptions: ChangeFeedOptions = { url, heartbeatMs: HEARTBEAT_MS, timeoutMs: FEED_TIMEOUT_MS };
    return {
      global: true,
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          // one attempt: a supervisor that restarts the program is the better retry
          useFactory: () => ({ ...dataSourceOptions(url), toRetry: () => false }),
          dataSourceFactory: () => openDatabase(url, migrations),
        }),
      ],
      providers: [
        { provide: CHANGE_FEED_OPTIONS, useValue: feedOptions },
        PostgresChangeFeed,
        { provide: ChangeFeed, useExisting: PostgresChangeFeed },
      ],
      exports: [ChangeFeed],
    };
  }
}
