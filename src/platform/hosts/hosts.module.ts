import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Host } from './host.entity.js';
import { HostsController } from './hosts.controller.js';
import { HostsService } from './hosts.service.js';

/** `/v1/hosts`. */
@Module({
  imports: [TypeOrmModule.forFeature([Host])],
  controllers: [HostsController],
  providers: [HostsService],
  exports: [HostsService],
})
export class HostsModule {}
