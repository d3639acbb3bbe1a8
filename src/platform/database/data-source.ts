import type { DataSourceOptions } from 'typeorm';
import { ApiKey } from '../api-keys/api-key.entity.js';
import { Host } from '../hosts/host.entity.js';
import { SandboxLink } from '../links/sandbox-link.entity.js';
import { SandboxPort } from '../ports/sandbox-port.entity.js';
import { Sandbox } from '../sandboxes/sandbox.entity.js';
import { Team } from '../teams/team.entity.js';
import { ImpatientClient } from './impatient-client.js';
import { MIGRATIONS } from './migrations/index.js';

/** How long connecting, or waiting for a free connection, may take before the database counts as unavailable. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** How long the server may work on a statement. */
const STATEMENT_TIMEOUT_MS = 5_000;
/** How long we wait for an answer: longer than the server's own limit, so that its clearer error comes first. */
const QUERY_TIMEOUT_MS = 6_000;
const POOL_SIZE = 10;

/** How the program talks to PostgreSQL. A database that hangs turns into an error, not into a hanging request. */
export function dataSourceOptions(url: string): DataSourceOptions {
  return {
    ...commonOptions(url),
    poolSize: POOL_SIZE,
    extra: {
      Client: ImpatientClient,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    },
  };
}

/** The same without time limits on statements: building an index may take a long time. */
export function migrationDataSourceOptions(url: string): DataSourceOptions {
  return { ...commonOptions(url), poolSize: 1 };
}

function commonOptions(url: string) {
  return {
    type: 'postgres' as const,
    url,
    applicationName: 'sandbox-control-plane',
    entities: [ApiKey, Host, Sandbox, SandboxLink, SandboxPort, Team],
    migrations: [...MIGRATIONS],
    synchronize: false,
    installExtensions: false,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    logging: false,
  };
}
