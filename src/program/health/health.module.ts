import { Global, Module } from '@nestjs/common';
import { DatabaseCheck } from './database-check.js';
import { HealthController } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';

/** `/healthz`, `/readyz`, and the `Lifecycle` on which the latter depends. */
@Global()
@Module({ controllers: [HealthController], providers: [DatabaseCheck, Lifecycle], exports: [Lifecycle] })
export class HealthModule {}
