import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { LOGGER } from './logging/logger.js';
import { NestLogger } from './logging/nest-logger.js';

/** What `main.ts` and the end-to-end tests both apply to the application before it is initialised. */
export function configureApp(app: NestExpressApplication): void {
  app.useLogger(new NestLogger(app.get<Logger>(LOGGER)));
  app.disable('x-powered-by');
  app.disable('etag');
}
