import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { ApiExceptionFilter } from '../platform/errors/api-exception.filter.js';
import { createValidationPipe } from '../platform/errors/validation.js';
import { answerHeaders } from '../platform/exchange/answer-headers.js';
import { exchangeClocks } from '../platform/exchange/exchange-clocks.js';
import { LOGGER } from './logging/logger.js';
import { NestLogger } from './logging/nest-logger.js';
import { requestId } from './logging/request-id.js';

/** Configures the application before it is initialised, for the program and the end-to-end tests alike. */
export function configureApp(app: NestExpressApplication): void {
  const logger = app.get<Logger>(LOGGER);
  app.useLogger(new NestLogger(logger));
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestId, answerHeaders, exchangeClocks());
  app.useGlobalPipes(createValidationPipe());
  app.useGlobalFilters(new ApiExceptionFilter(logger));
}
