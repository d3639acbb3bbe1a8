import { readFileSync } from 'node:fs';
import type { Configuration } from './configuration.js';
import type { AgentTlsOptions, SandboxProxyOptions } from '../../sandbox-proxy/index.js';

/** The part of the configuration that the proxy needs. Reads the PEM files. */
export function proxyOptionsFrom(configuration: Configuration): Partial<SandboxProxyOptions> {
  return {
    domains: configuration.SANDBOX_DOMAINS,
    deniedPorts: configuration.DENIED_PORTS,
    publicScheme: schemeOf(configuration.PUBLIC_URL),
    routeCacheTtlMs: configuration.ROUTE_CACHE_TTL_MS,
    routeCacheMax: configuration.ROUTE_CACHE_MAX,
    apiKeyCacheTtlMs: configuration.API_KEY_CACHE_TTL_MS,
    apiKeyCacheMax: configuration.API_KEY_CACHE_MAX,
    agentScheme: configuration.AGENT_SCHEME,
    agentTls: tlsFrom(configuration),
    agentToken: configuration.AGENT_TOKEN ?? null,
    agentAppHost: configuration.AGENT_APP_HOST,
    allowedAgentAddresses: configuration.AGENT_ALLOWED_ADDRESSES,
    connectTimeoutMs: configuration.UPSTREAM_CONNECT_TIMEOUT_MS,
    firstByteTimeoutMs: configuration.UPSTREAM_FIRST_BYTE_TIMEOUT_MS,
    idleTimeoutMs: configuration.UPSTREAM_IDLE_TIMEOUT_MS,
    maxConnectionsPerSandbox: configuration.UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX,
    maxIdlePerSandbox: configuration.UPSTREAM_MAX_IDLE_PER_SANDBOX,
    shutdownGraceMs: configuration.SHUTDOWN_GRACE_MS,
    trustedProxies: configuration.TRUSTED_PROXIES,
    privateCookies: configuration.PRIVATE_COOKIES,
  };
}

function schemeOf(url: string | undefined): 'http' | 'https' | null {
  if (url === undefined) return null;
  return url.toLowerCase().startsWith('https:') ? 'https' : 'http';
}

function tlsFrom({ AGENT_CA_FILE, AGENT_CERT_FILE, AGENT_KEY_FILE }: Configuration): AgentTlsOptions {
  return {
    ...(AGENT_CA_FILE === undefined ? {} : { ca: readFileSync(AGENT_CA_FILE, 'utf8') }),
    ...(AGENT_CERT_FILE === undefined ? {} : { cert: readFileSync(AGENT_CERT_FILE, 'utf8') }),
    ...(AGENT_KEY_FILE === undefined ? {} : { key: readFileSync(AGENT_KEY_FILE, 'utf8') }),
  };
}
