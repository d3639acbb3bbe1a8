import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKey } from './api-key.entity.js';
import { TeamKeysController } from './team-keys.controller.js';
import { LookupTurns } from './lookup-turns.js';
import { UnknownKeyBudget } from './unknown-key-budget.js';
import { TeamKeysService } from './team-keys.service.js';

/** `/v1/api-keys`, and what `TeamGuard` needs in addition to the proxy. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey])],
  controllers: [TeamKeysController],
  providers: [LookupTurns, TeamKeysService, UnknownKeyBudget],
  exports: [LookupTurns, TeamKeysService, UnknownKeyBudget],
})
export class ApiKeysModule {}
