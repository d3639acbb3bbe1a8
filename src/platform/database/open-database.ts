import { DataSource } from 'typeorm';
import { reasonOf } from '../errors/reason-of.js';
import { dataSourceOptions } from './data-source.js';
import { migrate } from './migrate.js';

/** The program cannot start on this database; the message says what to do and holds no password. */
export class DatabaseStartError extends Error {
  constructor(url: string, cause: unknown) {
    super(`cannot use the database at ${placeOf(url)}: ${reasonOf(cause)}; check DATABASE_URL`, { cause });
    this.name = 'DatabaseStartError';
  }
}

/**
 * The data source, connected, on a schema that is up to date unless `migrations` is off.
 *
 * @throws DatabaseStartError after one attempt, within about 5 seconds if nothing answers.
 */
export async function openDatabase(url: string, migrations: 'auto' | 'off'): Promise<DataSource> {
  try {
    if (migrations === 'auto') await migrate(url);
    return await new DataSource(dataSourceOptions(url)).initialize();
  } catch (error) {
    throw new DatabaseStartError(url, error);
  }
}

/** `db.example:5432/name`; for a Unix socket, whose directory is in the URL, `/run/postgresql:5432/name`. */
function placeOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url);
  const host = searchParams.get('host') ?? hostname.replaceAll(/%2f/gi, '/');
  return `${host}:${port || '5432'}${pathname}`;
}
