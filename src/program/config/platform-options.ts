import type { PlatformOptions } from '../../platform/platform.options.js';
import type { Configuration } from './configuration.js';

/** The part of the configuration that the platform needs. */
export function platformOptionsFrom(configuration: Configuration, adminToken: string): PlatformOptions {
  return {
    adminToken,
    deniedPorts: configuration.DENIED_PORTS,
    publicUrl: configuration.PUBLIC_URL,
    sandboxDomains: configuration.SANDBOX_DOMAINS,
    linkMaxTtlSeconds: configuration.LINK_MAX_TTL_SECONDS,
    quotas: {
      sandboxes: configuration.TEAM_MAX_SANDBOXES,
      apiKeys: configuration.TEAM_MAX_API_KEYS,
      links: configuration.TEAM_MAX_LINKS,
      ports: configuration.TEAM_MAX_PORTS,
    },
  };
}
