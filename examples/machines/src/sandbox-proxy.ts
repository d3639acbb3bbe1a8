import type { DynamicModule } from '@nestjs/common';
import {
  ApiKeyStore,
  ChangeFeed,
  SandboxDirectory,
  SandboxIds,
  SandboxProxyModule,
} from '@sandbox-control-plane/sandbox-proxy';
import { AccessKeyStore } from './access-key.store.js';
import { MachineDirectory } from './machine-directory.js';
import { MachineIds } from './machine-ids.js';
import { Settings } from './settings.js';
import { TableChangesFeed } from './table-changes.feed.js';
import { TablesModule } from './tables.module.js';
import { TokenScheme } from './token.scheme.js';

/** The proxy, with what it asks of this application. */
export function sandboxProxy(): DynamicModule {
  return SandboxProxyModule.forRootAsync({
    imports: [TablesModule],
    inject: [Settings],
    useFactory: ({ sandboxDomain }: Settings) => ({ domains: [sandboxDomain] }),
    schemes: ['api-key', TokenScheme],
    providers: [
      { provide: SandboxIds, useClass: MachineIds },
      { provide: SandboxDirectory, useClass: MachineDirectory },
      { provide: ApiKeyStore, useClass: AccessKeyStore },
      { provide: ChangeFeed, useClass: TableChangesFeed },
    ],
  });
}
