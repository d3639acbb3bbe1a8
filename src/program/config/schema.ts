import 'reflect-metadata';
import { Matches, IsIn, IsInt, IsOptional, IsString, Max, Min, ValidateIf } from 'class-validator';
import {
  IsCertificateFile,
  IsDomain,
  IsListenAddress,
  IsNetwork,
  IsPlainHttpUrl,
  IsPostgresUrl,
  IsPrivateKeyFile,
  IsToken,
} from './validators.js';
import { domainList, FromEnvironment, integer, list, portList } from './variable.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The longest delay Node's timers can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Declares a whole number of milliseconds, at least `min`. */
function Milliseconds(description: string, min: number): PropertyDecorator {
  const wants = `a whole number of milliseconds from ${min} to ${MAX_TIMER_MS}`;
  return all(FromEnvironment({ description, wants, parse: integer }), IsInt(), Min(min), Max(MAX_TIMER_MS));
}

function Count(description: string): PropertyDecorator {
  const wants = 'a whole number from 1 to 10000000';
  return all(FromEnvironment({ description, wants, parse: integer }), IsInt(), Min(1), Max(10_000_000));
}

function Networks(description: string): PropertyDecorator {
  const wants = 'a comma-separated list of IP addresses or CIDR blocks, e.g. 10.0.0.0/8,192.0.2.1';
  return all(FromEnvironment({ description, wants, parse: list }), IsNetwork({ each: true }));
}

function all(...decorators: PropertyDecorator[]): PropertyDecorator {
  return (target, name) => {
    for (const decorate of decorators) decorate(target, name);
  };
}

/**
 * Every setting of the program. A property has the name of its environment variable, and its initial value is the
 * default; an unset variable without a default is `undefined`. `loadConfiguration` (configuration.ts) fills it and is
 * the only reader of the environment.
 */
export class Configuration {
  @FromEnvironment({
    description:
      '`production`: no embedded database unless `EMBEDDED_DATABASE` is `yes`, and another default of `SHUTDOWN_DELAY_MS`.',
    wants: 'a text',
  })
  @IsOptional()
  @IsString()
  NODE_ENV?: string;

  @FromEnvironment({
    description: 'Address to listen on.',
    wants: 'an IP address or a host name',
  })
  @IsListenAddress()
  HOST: string = '127.0.0.1';

  @FromEnvironment({
    description: 'Port to listen on; 0 takes a free one.',
    wants: 'a whole number from 0 to 65535',
    parse: integer,
  })
  @IsInt()
  @Min(0)
  @Max(65_535)
  PORT: number = 8000;

  @FromEnvironment({
    description:
      'Processes that serve behind one listener, each with its own caches, connections and limits.',
    wants: 'a whole number from 1 to 64',
    parse: integer,
  })
  @IsInt()
  @Min(1)
  @Max(64)
  WORKERS: number = 1;

  @FromEnvironment({
    description: 'PostgreSQL to use. Unset: an embedded one is started in `DATA_DIR`, with a demo.',
    wants: 'a URL like postgres://user:password@host:5432/database',
    secret: true,
  })
  @IsOptional()
  @IsPostgresUrl()
  DATABASE_URL?: string;

  @FromEnvironment({
    description:
      'The same database, reached without a pooler, for the change feed: a pooler in transaction mode passes no notifications on. Unset: `DATABASE_URL`.',
    wants: 'a URL like postgres://user:password@host:5432/database',
    secret: true,
  })
  @IsOptional()
  @IsPostgresUrl()
  FEED_DATABASE_URL?: string;

  @FromEnvironment({
    description:
      'Whether the embedded PostgreSQL may be used, `yes` or `no`. Unset: `yes`, but `no` with `NODE_ENV=production`.',
    wants: 'yes or no',
  })
  @IsOptional()
  @IsIn(['yes', 'no'])
  EMBEDDED_DATABASE?: 'yes' | 'no';

  @FromEnvironment({
    description: 'Directory of the embedded PostgreSQL and of generated secrets.',
    wants: 'a path',
  })
  @IsString()
  DATA_DIR: string = 'data';

  @FromEnvironment({
    description:
      '`auto` brings the schema up to date at start; `off` leaves it alone and writes no `last_used`.',
    wants: 'auto or off',
  })
  @IsIn(['auto', 'off'])
  MIGRATIONS: 'auto' | 'off' = 'auto';

  @FromEnvironment({
    description: 'Comma-separated domains under which `{port}-{sandboxId}.` names a sandbox. Empty: any.',
    wants: 'a comma-separated list of domain names, e.g. sandboxes.example.com,localhost',
    parse: domainList,
  })
  @IsDomain({ each: true })
  SANDBOX_DOMAINS: readonly string[] = [];

  @FromEnvironment({
    description:
      'Scheme, domain and port by which clients reach sandboxes, for the URLs in answers, e.g. `https://example.com`.',
    wants: 'an http or https URL without path, query and credentials',
  })
  @IsOptional()
  @IsPlainHttpUrl()
  PUBLIC_URL?: string;

  @FromEnvironment({
    description:
      'Ports of every sandbox that nobody may reach from outside, comma-separated; `none` for none.',
    wants: 'a comma-separated list of ports from 1 to 65535, or none',
    parse: portList,
  })
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(65_535, { each: true })
  DENIED_PORTS: readonly number[] = [49983, 22];

  @FromEnvironment({
    description: 'Bearer token of operator routes. Required with `DATABASE_URL`, generated without.',
    wants: 'at least 16 printable characters without spaces; it is required when DATABASE_URL is set',
    secret: true,
  })
  @ValidateIf((c: Configuration) => c.DATABASE_URL !== undefined || c.ADMIN_TOKEN !== undefined)
  @IsToken()
  ADMIN_TOKEN?: string;

  @Count('Most sandboxes of one team.')
  TEAM_MAX_SANDBOXES: number = 5_000;

  @Count('Most API keys of one team.')
  TEAM_MAX_API_KEYS: number = 500;

  @Count('Most preview links of one team.')
  TEAM_MAX_LINKS: number = 5_000;

  @FromEnvironment({
    description:
      'How long a preview link may be good at most, and its sessions be renewed, in seconds; at most 30 days.',
    wants: 'a whole number of seconds from 30 to 2592000',
    parse: integer,
  })
  @IsInt()
  @Min(30)
  @Max(2_592_000)
  LINK_MAX_TTL_SECONDS: number = 86_400;

  @Count('Most ports with settings of their own of one team.')
  TEAM_MAX_PORTS: number = 5_000;

  @Milliseconds('How long a route to a sandbox may be served from memory, in ms; 0 caches nothing.', 0)
  ROUTE_CACHE_TTL_MS: number = 120_000;

  @Count('Most routes in memory.')
  ROUTE_CACHE_MAX: number = 10_000;

  @Milliseconds('How long an API key may be served from memory, in ms; 0 caches nothing.', 0)
  API_KEY_CACHE_TTL_MS: number = 120_000;

  @Count('Most API keys in memory.')
  API_KEY_CACHE_MAX: number = 10_000;

  @FromEnvironment({
    description: 'Scheme for agents whose address has none.',
    wants: 'http or https',
  })
  @IsIn(['http', 'https'])
  AGENT_SCHEME: 'http' | 'https' = 'http';

  @FromEnvironment({
    description: "PEM file of the authorities that sign agents' certificates. Unset: the system's.",
    wants: 'the path of a readable PEM file with a certificate',
  })
  @IsOptional()
  @IsCertificateFile()
  AGENT_CA_FILE?: string;

  @FromEnvironment({
    description: 'PEM file of the client certificate shown to agents; needs `AGENT_KEY_FILE`.',
    wants:
      'the path of a readable PEM file with a certificate; AGENT_CERT_FILE and AGENT_KEY_FILE go together',
  })
  @ValidateIf((c: Configuration) => c.AGENT_CERT_FILE !== undefined || c.AGENT_KEY_FILE !== undefined)
  @IsCertificateFile()
  AGENT_CERT_FILE?: string;

  @FromEnvironment({
    description: 'PEM file of the private key of that certificate.',
    wants:
      'the path of a readable PEM file with a private key; AGENT_CERT_FILE and AGENT_KEY_FILE go together',
  })
  @ValidateIf((c: Configuration) => c.AGENT_CERT_FILE !== undefined || c.AGENT_KEY_FILE !== undefined)
  @IsPrivateKeyFile()
  AGENT_KEY_FILE?: string;

  @FromEnvironment({
    description: 'Sent to every host agent as `X-Sandbox-Agent-Token`; agents must not pass it on.',
    wants: 'at least 16 printable characters without spaces',
    secret: true,
  })
  @IsOptional()
  @IsToken()
  AGENT_TOKEN?: string;

  @FromEnvironment({
    description:
      'The Host that agents send to apps, with `{port}` for the port. Empty: it is not known; then apps get no `Origin` and `Referer` of their own pages.',
    wants: 'a host name, which may end with ":{port}", or nothing',
    isEmptyGiven: true,
  })
  @Matches(/^(?:[a-z0-9._-]+(?::\d+|:\{port\})?)?$/i)
  AGENT_APP_HOST: string = 'localhost:{port}';

  @Networks(
    'Agent addresses to allow although they are link-local, a metadata service or multicast, which are refused otherwise.',
  )
  AGENT_ALLOWED_ADDRESSES: readonly string[] = [];

  @Milliseconds('How long connecting to an agent may take, in ms.', 1)
  UPSTREAM_CONNECT_TIMEOUT_MS: number = 5_000;

  @Milliseconds('How long a sandbox may take until the first byte of its answer, in ms.', 1)
  UPSTREAM_FIRST_BYTE_TIMEOUT_MS: number = 300_000;

  @Milliseconds('How long an unused connection to an agent is kept, in ms.', 1)
  UPSTREAM_IDLE_TIMEOUT_MS: number = 30_000;

  @Count('Most connections to one sandbox at a time.')
  UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX: number = 10_000;

  @Count('Most unused connections kept for one sandbox.')
  UPSTREAM_MAX_IDLE_PER_SANDBOX: number = 256;

  @Networks('Peers whose `X-Forwarded-*`, `X-Real-IP` and `Forwarded` are believed.')
  TRUSTED_PROXIES: readonly string[] = [];

  @FromEnvironment({
    description: "Comma-separated names of the platform's own cookies, which no sandbox may see or set.",
    wants: 'cookie names, comma-separated',
    parse: list,
  })
  @Matches(/^[\w!#$%&'*+.^`|~-]+$/, { each: true })
  PRIVATE_COOKIES: readonly string[] = [];

  @FromEnvironment({
    description: 'Least severe level that is logged.',
    wants: `one of ${LOG_LEVELS.join(', ')}`,
  })
  @IsIn(LOG_LEVELS)
  LOG_LEVEL: LogLevel = 'info';

  @Milliseconds(
    'How long the listener stays open after SIGTERM, in ms, while `/readyz` is 503 and every answer closes its connection; 5000 with `NODE_ENV=production`.',
    0,
  )
  SHUTDOWN_DELAY_MS: number = 0;

  @Milliseconds('How long requests in progress may go on after that, in ms.', 0)
  SHUTDOWN_GRACE_MS: number = 10_000;
}
