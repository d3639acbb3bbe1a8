import { type DynamicModule, Module } from '@nestjs/common';
import { ValidationFailedError } from './errors/request.errors.js';
import type { TeamQuotas } from './database/quota.js';

/** The part of the program's configuration that the platform needs. A class, so that it is type and DI token at once. */
export abstract class PlatformOptions {
  /** What operators send as `Authorization: Bearer`. */
  abstract readonly adminToken: string;
  /** Ports of any sandbox that nobody may reach. */
  abstract readonly deniedPorts: readonly number[];
  /** Where clients reach the program, e.g. `https://sandboxes.example.com`; undefined: at its listener. */
  abstract readonly publicUrl: string | undefined;
  /** Parent domains of sandboxes' host names; empty: any. */
  abstract readonly sandboxDomains: readonly string[];
  abstract readonly quotas: TeamQuotas;
  /** How long a link may be good at most, and its sessions be renewed, seconds. */
  abstract readonly linkMaxTtlSeconds: number;
}

/** @throws ValidationFailedError for a port that nobody may reach */
export function refuseDeniedPort({ deniedPorts }: PlatformOptions, port: number): void {
  if (deniedPorts.includes(port))
    throw new ValidationFailedError([`port ${port} cannot be reached from outside`]);
}

/** Supplies `PlatformOptions` everywhere. */
@Module({})
export class PlatformOptionsModule {
  static forRoot(options: PlatformOptions): DynamicModule {
    return {
      global: true,
      module: PlatformOptionsModule,
      providers: [{ provide: PlatformOptions, useValue: options }],
      exports: [PlatformOptions],
    };
  }
}
