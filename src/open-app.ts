import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { configureApp } from './program/app.setup.js';
import type { Configuration } from './program/config/configuration.js';
import { CLOSE_MARGIN_MS, type Shutdown } from './program/boot/shutdown.js';
import { stopListening } from './program/boot/stop-listening.js';
import { SandboxProxy } from './sandbox-proxy/index.js';
import { boundUploadMemory } from './program/boot/upload-memory.js';

/**
 * The application in this process, listening. Its own log begins in `configureApp`.
 *
 * @returns the port it listens on.
 */
export async function openApp(settings: Configuration, shutdown: Shutdown): Promise<number> {
  boundUploadMemory();
  const { HOST, PORT, SHUTDOWN_DELAY_MS, SHUTDOWN_GRACE_MS } = settings;
  const options = { logger: false, abortOnError: false } as const;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), options);
  const stop = async () => {
    const server: Server = app.getHttpServer();
    if (server.listening) {
      await app.get(SandboxProxy).drain(SHUTDOWN_DELAY_MS);
      await stopListening(server);
    }
    await app.close();
  };
  shutdown.add(stop, SHUTDOWN_DELAY_MS + SHUTDOWN_GRACE_MS + CLOSE_MARGIN_MS);
  configureApp(app);
  await app.listen(PORT, HOST);
  return (app.getHttpServer().address() as AddressInfo).port;
}
