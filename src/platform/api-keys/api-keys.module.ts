import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKey } from './api-key.entity.js';
import { TeamKeysController } from './team-keys.controller.js';
import { TeamKeysService } from './team-keys.service.js';
import { TeamShare } from './team-share.js';

/** `/v1/api-keys`, and what `TeamGuard` needs in addition to the proxy. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey])],
  controllers: [TeamKeysController],
  providers: [TeamKeysService, TeamShare],
  exports: [TeamKeysService, TeamShare],
})
export class ApiKeysModule {}
