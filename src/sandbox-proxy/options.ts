/** What the proxy needs to know, with units. Every field has a value: readers never meet `undefined`. */
export interface SandboxProxyOptions {
  /** Parent domains under which `{port}-{sandboxId}.` counts as ours, lower case; empty: any domain. */
  readonly domains: readonly string[];
  /** Ports of any sandbox that nobody may reach, e.g. the guest agent's. */
  readonly deniedPorts: readonly number[];
  /** What clients use in front of the proxy, where that is known; null: what their connection, or a trusted proxy, says. */
  readonly publicScheme: 'http' | 'https' | null;
  /** How long a route may be served from the cache, milliseconds. */
  readonly routeCacheTtlMs: number;
  /** Most routes kept in memory. */
  readonly routeCacheMax: number;
  /** Put in front of a host's address that names no scheme. */
  readonly agentScheme: 'http' | 'https';
  /** PEM texts for TLS towards the agents; verification is always on. */
  readonly agentTls: AgentTlsOptions;
  /** CIDR blocks or addresses that an agent may have although they are link-local, metadata or multicast. */
  readonly allowedAgentAddresses: readonly string[];
  /** TCP and TLS handshake with an agent, milliseconds. */
  readonly connectTimeoutMs: number;
  /** From the last byte of the request to the head of the response, milliseconds. */
  readonly firstByteTimeoutMs: number;
  /** How long an unused connection to an agent is kept, milliseconds; below the agent's own limit. */
  readonly idleTimeoutMs: number;
  /** Connections to an agent for one sandbox, busy, idle and upgraded; one more request is answered `sandbox_busy`. */
  readonly maxConnectionsPerSandbox: number;
  /** Unused connections kept for one sandbox. */
  readonly maxIdlePerSandbox: number;
  /** How long requests under way may go on once the application closes, milliseconds; then they are cut. */
  readonly shutdownGraceMs: number;
  /** CIDR blocks or addresses whose `X-Forwarded-*` are believed. */
  readonly trustedProxies: readonly string[];
}

/** PEM texts; what is absent falls back to the system's trust store and to no client certificate. */
export interface AgentTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export const SANDBOX_PROXY_DEFAULTS: SandboxProxyOptions = {
  domains: [],
  deniedPorts: [49_983, 22],
  publicScheme: null,
  routeCacheTtlMs: 120_000,
  routeCacheMax: 10_000,
  agentScheme: 'http',
  agentTls: {},
  allowedAgentAddresses: [],
  connectTimeoutMs: 5_000,
  firstByteTimeoutMs: 300_000,
  idleTimeoutMs: 30_000,
  maxConnectionsPerSandbox: 10_000,
  maxIdlePerSandbox: 256,
  shutdownGraceMs: 10_000,
  trustedProxies: [],
};
