import { type DynamicModule, Global, Module } from '@nestjs/common';
import { PLATFORM_CONTRACTS, ProxyAdapterModule } from '../platform/proxy-adapter/proxy-adapter.module.js';
import { AccessLog, SandboxProxyModule } from '../sandbox-proxy/index.js';
import type { Configuration } from './config/configuration.js';
import { ProgramAccessLog } from './logging/access-log.js';
import { Listener } from './listener.service.js';
import { proxyOptionsFrom } from './config/proxy-options.js';

/** The sandbox proxy on the platform's tables. What it exports is available to every module of the program. */
@Global()
@Module({})
export class ProxyModule {
  /** @param databaseUrl of the tables; also for the change feed, unless FEED_DATABASE_URL is set */
  static forRoot(configuration: Configuration, databaseUrl: string): DynamicModule {
    const { FEED_DATABASE_URL, MIGRATIONS } = configuration;
    return {
      module: ProxyModule,
      imports: [
        ProxyAdapterModule.forRoot({
          databaseUrl,
          feedUrl: FEED_DATABASE_URL,
          isLastUsedRecorded: MIGRATIONS === 'auto',
        }),
        SandboxProxyModule.forRoot({
          ...proxyOptionsFrom(configuration),
          providers: [...PLATFORM_CONTRACTS, { provide: AccessLog, useClass: ProgramAccessLog }],
        }),
      ],
      providers: [Listener],
      exports: [SandboxProxyModule],
    };
  }
}
