import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { CredentialsController } from './credentials.controller.js';
import { MachinesController } from './machines.controller.js';
import { NewsGateway } from './news.gateway.js';
import { sandboxProxy } from './sandbox-proxy.js';
import { StaffGuard } from './staff.guard.js';
import { TablesModule } from './tables.module.js';

@Module({
  imports: [
    TablesModule,
    sandboxProxy(), // all that the rest of the application sees of it
  ],
  controllers: [MachinesController, CredentialsController],
  providers: [{ provide: APP_GUARD, useClass: StaffGuard }, NewsGateway],
})
export class AppModule {}
