import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../platform/api-keys/api-keys.module.js';
import { SessionsModule } from '../platform/links/sessions.module.js';
import { PortSettingsModule } from '../platform/ports/port-settings.module.js';
import { Sandbox } from '../platform/sandboxes/sandbox.entity.js';
import { AccessLog } from './answers/access-log.js';
import { AdmissionService } from './admission/admission.service.js';
import { PublicPortScheme } from './admission/public-port.scheme.js';
import { SessionCookieScheme } from './admission/session-cookie.scheme.js';
import { StrangerBudget } from './admission/stranger-budget.js';
import { BrowserAccess } from './admission/browser-access.js';
import { LiveAdmissions } from './open-access/open-access.js';
import { ApiKeyScheme } from './admission/api-key.scheme.js';
import { CREDENTIAL_SCHEMES } from './admission/credential-scheme.js';
import { SandboxDirectory } from './routing/sandbox-directory.js';
import { IdleClients } from './node-internals/idle-clients.js';
import { SandboxProxyDoors } from './entrance/entrance.js';
import { SandboxProxyMiddleware } from './entrance/sandbox-proxy.middleware.js';
import {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  SANDBOX_PROXY_OPTIONS,
  withDefaults,
} from './sandbox-proxy.module-definition.js';
import type { SandboxProxyOptions } from './options.js';
import { SandboxProxyService } from './sandbox-proxy.service.js';
import { SandboxResolverService } from './routing/sandbox-resolver.service.js';
import { MemorySandboxRouteCache, SandboxRouteCache } from './routing/sandbox-route-cache.js';
import { SandboxUpgradeListener } from './entrance/upgrade.listener.js';
import { Tunnels } from './relay/tunnels.js';
import { HostClientPool } from './agent-client/host-client-pool.js';

/**
 * The sandbox proxy. Importing `SandboxProxyModule.forRoot({ … })` is all there is to it: requests whose Host
 * header reads `{port}-{sandboxId}.{domain}` go to the sandbox, all others to the application as before.
 *
 * Replaceable: `ApiKeyService`, `SandboxResolverService`, `SandboxRouteCache`, `HostClientPool`, by
 * `forRoot({ providers: [{ provide: SandboxRouteCache, useClass: … }] })`.
 */
@Module({
  imports: [TypeOrmModule.forFeature([Sandbox]), ApiKeysModule, PortSettingsModule, SessionsModule],
  providers: [
    {
      provide: SANDBOX_PROXY_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: Partial<SandboxProxyOptions>) => withDefaults(options),
    },
    {
      provide: SandboxRouteCache,
      inject: [SANDBOX_PROXY_OPTIONS],
      useFactory: (options: SandboxProxyOptions) => new MemorySandboxRouteCache(options.routeCacheMax),
    },
    {
      provide: CREDENTIAL_SCHEMES,
      inject: [ApiKeyScheme, SessionCookieScheme, PublicPortScheme],
      useFactory: (...schemes: unknown[]) => schemes,
    },
    AccessLog,
    AdmissionService,
    ApiKeyScheme,
    BrowserAccess,
    HostClientPool,
    IdleClients,
    LiveAdmissions,
    PublicPortScheme,
    SandboxDirectory,
    SandboxProxyDoors,
    SandboxProxyMiddleware,
    SandboxProxyService,
    SandboxResolverService,
    SandboxUpgradeListener,
    SessionCookieScheme,
    StrangerBudget,
    Tunnels,
  ],
  exports: [ApiKeysModule, HostClientPool, SandboxProxyMiddleware, SandboxResolverService, SandboxRouteCache],
})
export class SandboxProxyModule extends ConfigurableModuleClass {}
