import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { AccessTablesModule } from '../database/access-tables.module.js';
import { SandboxesModule } from '../sandboxes/sandboxes.module.js';
import { PortsController } from './ports.controller.js';
import { PortsService } from './ports.service.js';
import { SandboxPort } from './sandbox-port.entity.js';

/** `/v1/sandboxes/{id}/ports`. */
@Module({
  imports: [TypeOrmModule.forFeature([SandboxPort]), AccessTablesModule, ApiKeysModule, SandboxesModule],
  controllers: [PortsController],
  providers: [PortsService],
})
export class PortsModule {}
