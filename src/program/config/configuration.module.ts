import { type DynamicModule, Module } from '@nestjs/common';
import { Configuration } from './configuration.js';

/** Supplies the one `Configuration` everywhere; the class is its token. */
@Module({})
export class ConfigurationModule {
  static forRoot(configuration: Configuration): DynamicModule {
    return {
      module: ConfigurationModule,
      global: true,
      providers: [{ provide: Configuration, useValue: configuration }],
      exports: [Configuration],
    };
  }
}
