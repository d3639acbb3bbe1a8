import type { IncomingMessage } from 'node:http';

/** What the proxy needs to know, with units. Every field has a value: readers never meet `undefined`. */
export interface SandboxProxyOptions {
  /** Parent domains under which `{port}-{sandboxId}.` counts as ours, lower case; empty: any domain. */
  readonly domains: readonly string[];
  /** Ports of any sandbox that nobody may reach, e.g. the guest agent's. */
  readonly deniedPorts: readonly number[];
  /** What clients use in front of the proxy, where that is known; null: what their connection, or a trusted proxy, says. */
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
  /** What the pages for browsers call the platform. */
  readonly brand: string;
  /** Instead of the page's advice, by error code: what a user of the platform should do. */
  readonly advice: Readonly<Partial<Record<string, string>>>;

  /** How long a route may be served from memory, milliseconds. */
  readonly routeCacheTtlMs: number;
  /** Most routes kept in memory. */
  readonly routeCacheMax: number;
  /** How long an API key may be served from memory, milliseconds. */
  readonly apiKeyCacheTtlMs: number;
  /** Most keys kept in memory. */
  readonly apiKeyCacheMax: number;

  /** Put in front of a host's address that names no scheme. */
  readonly agentScheme: 'http' | 'https';
  /** PEM texts for TLS towards the agents; verification is always on. */
  readonly agentTls: AgentTlsOptions;
  /** Sent to every agent as `X-Sandbox-Agent-Token`; null: nothing. Agents must not pass it on to an app. */
  readonly agentToken: string | null;
  /** CIDR blocks or addresses that an agent may have although they are link-local, metadata or multicast. */
  readonly allowedAgentAddresses: readonly string[];

  /** TCP and TLS handshake with an agent, milliseconds. */
  readonly connectTimeoutMs: number;
  /** From the last byte of the request to the head of the response, milliseconds. */
  readonly firstByteTimeoutMs: number;
  /** How long an unused connection to an agent is kept, milliseconds; below the agent's own limit. */
  readonly idleTimeoutMs: number;
  /** How long requests under way may go on once the application closes, milliseconds; then they are cut. */
  readonly shutdownGraceMs: number;

  /** Connections to an agent for one sandbox, busy, idle and upgraded; one more request is answered `sandbox_busy`. */
  readonly maxConnectionsPerSandbox: number;
  /** Unused connections kept for one sandbox. */
  readonly maxIdlePerSandbox: number;
}

/** PEM texts; what is absent falls back to the system's trust store and to no client certificate. */
export interface AgentTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** DI token of the options merged with their defaults: what everything in the module reads. */
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
  allowedAgentAddresses: [],
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 300_000,
  idleTimeoutMs: 30_000,
  shutdownGraceMs: 10_000,
  maxConnectionsPerSandbox: 10_000,
  maxIdlePerSandbox: 256,
};
