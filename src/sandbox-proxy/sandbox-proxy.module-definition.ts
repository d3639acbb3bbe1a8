import { ConfigurableModuleBuilder } from '@nestjs/common';
import { SANDBOX_PROXY_DEFAULTS, type SandboxProxyOptions } from './sandbox-proxy.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<
  Partial<SandboxProxyOptions>
>({ moduleName: 'SandboxProxy' })
  .setClassMethodName('forRoot')
  .build();

/** Token of the options merged with their defaults: what everything in this room reads. */
export const SANDBOX_PROXY_OPTIONS = Symbol('SANDBOX_PROXY_OPTIONS');

/** The one place where defaults are applied. */
export function withDefaults(options: Partial<SandboxProxyOptions>): SandboxProxyOptions {
  return { ...SANDBOX_PROXY_DEFAULTS, ...options };
}
