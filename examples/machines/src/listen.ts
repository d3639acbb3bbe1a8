import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { Settings } from './settings.js';

/** What the application wants on Express and on Fastify alike. */
export async function listen(app: INestApplication): Promise<void> {
  app.setGlobalPrefix('api');
  app.enableCors({ origin: 'https://console.example.com', credentials: true });
  app.useWebSocketAdapter(new WsAdapter(app));
  app.enableShutdownHooks();
  const { port, host } = app.get(Settings);
  await app.listen(port, host);
}
