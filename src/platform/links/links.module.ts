import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { AccessTablesModule } from '../database/access-tables.module.js';
import { SandboxesModule } from '../sandboxes/sandboxes.module.js';
import { LinksController } from './links.controller.js';
import { LinksService } from './links.service.js';
import { SandboxLink } from './sandbox-link.entity.js';

/** `/v1/sandboxes/{id}/links`. */
@Module({
  imports: [TypeOrmModule.forFeature([SandboxLink]), AccessTablesModule, ApiKeysModule, SandboxesModule],
  controllers: [LinksController],
  providers: [LinksService],
})
export class LinksModule {}
