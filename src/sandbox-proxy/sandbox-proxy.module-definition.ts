import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from './options.js';

/** What `forRoot` takes beside the options. */
export interface ProxyExtras {
  /** Replacements, e.g. `{ provide: SandboxRouteCache, useClass: RedisRouteCache }`. */
  readonly providers: readonly Provider[];
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<
  Partial<SandboxProxyOptions>
>({ moduleName: 'SandboxProxy' })
  .setClassMethodName('forRoot')
  .setExtras<ProxyExtras>({ providers: [] }, (definition, { providers }) => ({
    ...definition,
    providers: [...(definition.providers ?? []), ...providers],
  }))
  .build();

/** Token of the options merged with their defaults: what everything in this room reads. */
export const SANDBOX_PROXY_OPTIONS = Symbol('SANDBOX_PROXY_OPTIONS');

/** The one place where defaults are applied. */
export function withDefaults(options: Partial<SandboxProxyOptions>): SandboxProxyOptions {
  return { ...SANDBOX_PROXY_DEFAULTS, ...options };
}
