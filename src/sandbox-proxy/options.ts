import type { IncomingMessage } from 'node:http';

/** The settings of the proxy. Every field has a value: whoever reads it never meets `undefined`. */
export interface SandboxProxyOptions {
  /** Parent domains under which `{port}-{sandboxId}.` counts as ours, lower case; empty: any domain. */
  readonly domains: readonly string[];
  /** Ports of any sandbox that nobody may reach, e.g. the guest agent's. */
  readonly deniedPorts: readonly number[];
  /** The scheme that clients use, if it is fixed; null: what their connection, or a trusted proxy, says. */
  readonly publicScheme: 'http' | 'https' | null;
  /** CIDR blocks or addresses whose `X-Forwarded-*` and `X-Real-IP` are believed. */
  readonly trustedProxies: readonly string[];
  /** Names of the platform's own cookies: they never reach a sandbox, and no sandbox may set them. */
  readonly privateCookies: readonly string[];
  /**
   * A request's id: at most 64 letters, digits, `.`, `_`, `-`; null or anything else: a new random one. Null in place of
   * the function: what a trusted proxy says as `X-Request-Id`.
   */
  readonly requestIdOf: ((request: IncomingMessage, isPeerTrusted: boolean) => string | null) | null;
  /** What pages for browsers call the platform; `''`: nothing. */
  readonly brand: string;
  /** By error code: the advice that a page gives in place of the module's own. */
  readonly advice: Readonly<Partial<Record<string, string>>>;

  /** How long a route may be served from memory, milliseconds. */
  readonly routeCacheTtlMs: number;
  /** Most routes kept in memory. */
  readonly routeCacheMax: number;
  /** How long an API key may be served from memory, milliseconds. */
  readonly apiKeyCacheTtlMs: number;
  /** Most keys kept in memory. */
  readonly apiKeyCacheMax: number;

  /** The scheme for a host's address that names none. */
  readonly agentScheme: 'http' | 'https';
  /** PEM texts for TLS towards the agents; verification is always on. */
  readonly agentTls: AgentTlsOptions;
  /** Sent to every agent as `X-Sandbox-Agent-Token`; null: nothing. Agents must not pass it on to an app. */
  readonly agentToken: string | null;
  /** The Host that agents send to apps, with `{port}` for the port; `''`: it is not known. */
  readonly agentAppHost: string;
  /** CIDR blocks or addresses to allow for agents although they are link-local, a metadata service or multicast. */
  readonly allowedAgentAddresses: readonly string[];

  /** TCP and TLS handshake with an agent, milliseconds. */
  readonly connectTimeoutMs: number;
  /** From the last byte of the request to the first byte of the response, milliseconds. */
  readonly firstByteTimeoutMs: number;
  /** How long an unused connection to an agent is kept, milliseconds. It should be below the agent's own limit. */
  readonly idleTimeoutMs: number;
  /** How long requests under way may go on when the application closes, milliseconds; then they are cut. */
  readonly shutdownGraceMs: number;

  /** Most connections to agents for one sandbox, whether busy, idle or upgraded; above it: `sandbox_busy`. */
  readonly maxConnectionsPerSandbox: number;
  /** Most unused connections kept for one sandbox. */
  readonly maxIdlePerSandbox: number;
}

/**
 * PEM texts. Without `ca` the system's authorities are trusted; without `cert` and `key` no client certificate is
 * shown.
 */
export interface AgentTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** DI token of the options, merged with their defaults. Everything in the module reads these. */
export const SANDBOX_PROXY_OPTIONS = Symbol('SANDBOX_PROXY_OPTIONS');

export const SANDBOX_PROXY_DEFAULTS: SandboxProxyOptions = {
  domains: [],
  deniedPorts: [49_983, 22],
  publicScheme: null,
  trustedProxies: [],
  privateCookies: [],
  requestIdOf: null,
  brand: '',
  advice: {},
  routeCacheTtlMs: 120_000,
  routeCacheMax: 10_000,
  apiKeyCacheTtlMs: 120_000,
  apiKeyCacheMax: 10_000,
  agentScheme: 'http',
  agentTls: {},
  agentToken: null,
  agentAppHost: 'localhost:{port}',
  allowedAgentAddresses: [],
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 300_000,
  idleTimeoutMs: 30_000,
  shutdownGraceMs: 10_000,
  maxConnectionsPerSandbox: 10_000,
  maxIdlePerSandbox: 256,
};

/**
 * The options with their defaults.
 *
 * @throws TypeError that names every unknown option and every option of the wrong type
 */
export function withDefaults(given: Partial<SandboxProxyOptions>): SandboxProxyOptions {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const problems = said.flatMap(([name, value]) => problemOf(name, value) ?? []);
  if (problems.length > 0) throw new TypeError(`SandboxProxyModule cannot start: ${problems.join('; ')}`);
  return { ...SANDBOX_PROXY_DEFAULTS, ...Object.fromEntries(said) };
}

function problemOf(name: string, value: unknown): string | null {
  if (!Object.hasOwn(SANDBOX_PROXY_DEFAULTS, name)) return `there is no option "${name}"`;
  const usual: unknown = SANDBOX_PROXY_DEFAULTS[name as keyof SandboxProxyOptions];
  if (Array.isArray(usual) && !Array.isArray(value)) return `the option "${name}" must be a list`;
  if (usual !== null && typeof usual !== typeof value)
    return `the option "${name}" must be a ${typeof usual}`;
  if (name === 'domains' && !(value as unknown[]).every(isDomain))
    return 'the option "domains" must be a list of domain names in lower case, without ports';
  if (name === 'agentAppHost' && !/^(?:[a-z0-9._-]+(?::\d+|:\{port\})?)?$/i.test(value as string))
    return 'the option "agentAppHost" must be a host name, which may end with ":{port}"';
  return null;
}

function isDomain(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(value);
}
