import { Global, Module } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { createLogger, LOGGER } from './logger.js';

/** Supplies `LOGGER` everywhere. */
@Global()
@Module({
  providers: [
    {
      provide: LOGGER,
      inject: [Configuration],
      useFactory: (configuration: Configuration) => createLogger(configuration.LOG_LEVEL),
    },
  ],
  exports: [LOGGER],
})
export class LoggingModule {}
