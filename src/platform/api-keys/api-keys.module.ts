import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Configuration } from '../../program/config/configuration.js';
import { ApiKey } from './api-key.entity.js';
import { API_KEY_OPTIONS, type ApiKeyOptions } from './api-key.options.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { TeamKeysController } from './team-keys.controller.js';
import { TeamKeysService } from './team-keys.service.js';
import { LAST_USED_OPTIONS, type LastUsedOptions, LastUsedRecorder } from './last-used.recorder.js';

/** `/v1/api-keys`, and `ApiKeyService`, which knows whom a key admits. */
@Module({
  imports: [TypeOrmModule.forFeature([ApiKey])],
  controllers: [TeamKeysController],
  providers: [
    {
      provide: API_KEY_OPTIONS,
      inject: [Configuration],
      useFactory: (configuration: Configuration): ApiKeyOptions => ({
        cacheTtlMs: configuration.API_KEY_CACHE_TTL_MS,
        cacheMax: configuration.API_KEY_CACHE_MAX,
        clock: () => performance.now(),
      }),
    },
    {
      provide: LAST_USED_OPTIONS,
      inject: [Configuration],
      useFactory: (configuration: Configuration): LastUsedOptions => ({
        isRecorded: configuration.MIGRATIONS === 'auto',
        clock: () => performance.now(),
      }),
    },
    ApiKeyRepository,
    LastUsedRecorder,
    ApiKeyService,
    TeamKeysService,
  ],
  exports: [ApiKeyService, TeamKeysService],
})
export class ApiKeysModule {}
