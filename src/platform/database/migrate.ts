import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { CONNECT_TIMEOUT_MS, migrationDataSourceOptions } from './data-source.js';

/** A number that no other program on the database uses for `pg_advisory_lock`. */
const LOCK_ID = 7_263_541_908;

/**
 * Brings the schema of the database at `url` up to date. Processes that start together wait for one another.
 *
 * @returns the names of the migrations that were run.
 */
export async function migrate(url: string): Promise<string[]> {
  const lock = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await lock.connect();
  try {
    // a lock of the transaction: behind a pooler in transaction mode, one of the session would be kept for ever
    await lock.query('BEGIN');
    await lock.query('SELECT pg_advisory_xact_lock($1)', [LOCK_ID]);
    const dataSource = await new DataSource(migrationDataSourceOptions(url)).initialize();
    try {
      const done = await dataSource.runMigrations({ transaction: 'each' });
      return done.map((migration) => migration.name);
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await lock.end();
  }
}
