import { Module } from '@nestjs/common';
import { Configuration } from '../config/configuration.js';
import { API_KEY_OPTIONS, type ApiKeyOptions } from './api-key.options.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { LastUsedRecorder } from './last-used.recorder.js';

/** Supplies `ApiKeyService`, which knows whom a key admits. */
@Module({
  providers: [
    {
      provide: API_KEY_OPTIONS,
      inject: [Configuration],
      useFactory: (configuration: Configuration): ApiKeyOptions => ({
        cacheTtlMs: configuration.API_KEY_CACHE_TTL_MS,
        cacheMax: configuration.API_KEY_CACHE_MAX,
        recordLastUsed: configuration.MIGRATIONS === 'auto',
        clock: () => performance.now(),
      }),
    },
    ApiKeyRepository,
    LastUsedRecorder,
    ApiKeyService,
  ],
  exports: [ApiKeyService],
})
export class ApiKeysModule {}
