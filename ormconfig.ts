import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { migrationDataSourceOptions } from './src/platform/database/data-source.js';

const url = process.env['DATABASE_URL'];
if (url === undefined || url === '') {
  throw new Error('DATABASE_URL must be set, e.g. postgres://user:password@host:5432/database');
}

/** For the TypeORM command line, on the build: `typeorm -d dist/ormconfig.js … --esm`. */
export default new DataSource(migrationDataSourceOptions(url));
