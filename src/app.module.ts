import { type DynamicModule, Module } from '@nestjs/common';
import { ApiKeysModule } from './platform/api-keys/api-keys.module.js';
import type { Configuration } from './program/config/configuration.js';
import { ConfigurationModule } from './program/config/configuration.module.js';
import { ConsoleModule } from './program/console/console.module.js';
import { DatabaseModule } from './platform/database/database.module.js';
import { HealthModule } from './program/health/health.module.js';
import { HostsModule } from './platform/hosts/hosts.module.js';
import { LinksModule } from './platform/links/links.module.js';
import { LoggingModule } from './program/logging/logging.module.js';
import { PortsModule } from './platform/ports/ports.module.js';
import { SandboxesModule } from './platform/sandboxes/sandboxes.module.js';
import { platformOptionsFrom } from './program/config/platform-options.js';
import { PlatformOptionsModule } from './platform/platform.options.js';
import { ProxyModule } from './program/proxy.module.js';
import { TeamsModule } from './platform/teams/teams.module.js';

/** The composition root: all modules of the program, set up from one configuration. */
@Module({})
export class AppModule {
  /**
   * `AppModule.forRoot(loadConfiguration(process.env))`
   *
   * @throws TypeError without DATABASE_URL and ADMIN_TOKEN; `main.ts` fills them in when it starts the embedded database
   */
  static forRoot(configuration: Configuration): DynamicModule {
    const { DATABASE_URL, ADMIN_TOKEN, MIGRATIONS } = configuration;
    if (DATABASE_URL === undefined || ADMIN_TOKEN === undefined) {
      throw new TypeError('AppModule needs DATABASE_URL and ADMIN_TOKEN');
    }
    return {
      module: AppModule,
      imports: [
        ConfigurationModule.forRoot(configuration),
        LoggingModule,
        PlatformOptionsModule.forRoot(platformOptionsFrom(configuration, ADMIN_TOKEN)),
        DatabaseModule.forRoot(DATABASE_URL, MIGRATIONS),
        HealthModule,
        ConsoleModule,
        TeamsModule,
        ApiKeysModule,
        HostsModule,
        SandboxesModule,
        LinksModule,
        PortsModule,
        ProxyModule.forRoot(configuration, DATABASE_URL),
      ],
    };
  }
}
