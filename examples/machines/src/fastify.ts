import 'reflect-metadata';
import helmet from '@fastify/helmet';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { listen } from './listen.js';

async function start(): Promise<void> {
  const adapter = new FastifyAdapter({ bodyLimit: 10 * 1024 });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, adapter);
  await app.register(helmet);
  await listen(app);
}

void start();
