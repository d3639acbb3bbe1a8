import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { Sandbox } from './sandbox.entity.js';
import { SandboxUrls } from './sandbox-urls.service.js';
import { SandboxesController } from './sandboxes.controller.js';
import { SandboxesService } from './sandboxes.service.js';

/** `/v1/sandboxes`. */
@Module({
  imports: [TypeOrmModule.forFeature([Sandbox]), ApiKeysModule],
  controllers: [SandboxesController],
  providers: [SandboxesService, SandboxUrls],
  exports: [SandboxesService, SandboxUrls],
})
export class SandboxesModule {}
