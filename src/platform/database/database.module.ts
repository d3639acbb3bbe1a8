import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { dataSourceOptions } from './data-source.js';
import { openDatabase } from './open-database.js';

/** TypeORM's data source, on a schema that is up to date, for every module. */
@Module({})
export class DatabaseModule {
  static forRoot(url: string, migrations: 'auto' | 'off'): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          // one attempt: it is better if a supervisor restarts the program
          useFactory: () => ({ ...dataSourceOptions(url), toRetry: () => false }),
          dataSourceFactory: () => openDatabase(url, migrations),
        }),
      ],
    };
  }
}
