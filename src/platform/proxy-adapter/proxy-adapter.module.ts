import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import {
  ApiKeyStore,
  ChangeFeed,
  PortSettings,
  SandboxDirectory,
  SessionStore,
} from '../../sandbox-proxy/index.js';
import { LAST_USED_OPTIONS, type LastUsedOptions, LastUsedRecorder } from '../api-keys/last-used.recorder.js';
import { SessionRepository } from '../links/session.repository.js';
import { AccessTablesModule } from '../database/access-tables.module.js';
import { PlatformApiKeyStore } from './platform-api-keys.js';
import { PlatformSandboxDirectory } from './platform-directory.js';
import { PlatformPortSettings } from './platform-port-settings.js';
import { PlatformSessionStore } from './platform-sessions.js';
import { FEED_OPTIONS, type FeedOptions, PostgresChangeFeed } from './postgres-change-feed.js';

/**
 * How often the feed proves that it hears, and how long that may take, milliseconds. Together no more than the 5 s for
 * which the proxy believes what it remembers without a feed.
 */
const HEARTBEAT_MS = 3_000;
const FEED_TIMEOUT_MS = 2_000;

export interface ProxyAdapterOptions {
  readonly databaseUrl: string;
  /** URL of the same database without a pooler; absent: `databaseUrl`. */
  readonly feedUrl?: string | undefined;
  /** Whether `last_used` of keys is written; false on a database that is only read. */
  readonly isLastUsedRecorded: boolean;
}

/** The proxy's contracts on the platform's tables: for the `providers` of `SandboxProxyModule.forRoot`. */
export const PLATFORM_CONTRACTS: readonly Provider[] = [
  { provide: SandboxDirectory, useExisting: PlatformSandboxDirectory },
  { provide: ApiKeyStore, useExisting: PlatformApiKeyStore },
  { provide: SessionStore, useExisting: PlatformSessionStore },
  { provide: PortSettings, useExisting: PlatformPortSettings },
  { provide: ChangeFeed, useExisting: PostgresChangeFeed },
];

/** Implements the proxy's contracts on the platform's tables: to be imported beside `SandboxProxyModule.forRoot`. */
@Module({})
export class ProxyAdapterModule {
  static forRoot({ databaseUrl, feedUrl, isLastUsedRecorded }: ProxyAdapterOptions): DynamicModule {
    const feedOptions: FeedOptions = {
      databaseUrl,
      feedUrl: feedUrl ?? databaseUrl,
      heartbeatMs: HEARTBEAT_MS,
      timeoutMs: FEED_TIMEOUT_MS,
    };
    const lastUsedOptions: LastUsedOptions = {
      isRecorded: isLastUsedRecorded,
      clock: () => performance.now(),
    };
    const providers = [
      PlatformApiKeyStore,
      PlatformPortSettings,
      PlatformSandboxDirectory,
      PlatformSessionStore,
      PostgresChangeFeed,
    ];
    return {
      global: true,
      module: ProxyAdapterModule,
      imports: [AccessTablesModule],
      providers: [
        { provide: FEED_OPTIONS, useValue: feedOptions },
        { provide: LAST_USED_OPTIONS, useValue: lastUsedOptions },
        LastUsedRecorder,
        SessionRepository,
        ...providers,
      ],
      exports: providers,
    };
  }
}
