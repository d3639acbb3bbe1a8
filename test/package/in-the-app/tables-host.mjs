// An application on the platform's own tables: the README's lines for that, and a route of its own.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SandboxProxyModule } from '@sandbox-control-plane/sandbox-proxy';
import { PLATFORM_CONTRACTS, ProxyAdapterModule } from '@sandbox-control-plane/sandbox-proxy/platform';

const url = process.env['DATABASE_URL'];

class AppModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url }),
    ProxyAdapterModule.forRoot({ databaseUrl: url, isLastUsedRecorded: true }),
    SandboxProxyModule.forRoot({ domains: ['sandboxes.test'], providers: [...PLATFORM_CONTRACTS] }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
