import { Global, Module } from '@nestjs/common';
import { DatabaseCheck } from './database-check.js';
import { HealthController } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';

/** `/healthz`, `/readyz`, and the `Lifecycle` that decides about the latter. */
@Global()
@Module({ controllers: [HealthController], providers: [DatabaseCheck, Lifecycle], exports: [Lifecycle] })
export class HealthModule {}
