import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, type QueryResultRow } from 'pg';
import { inject } from 'vitest';

/** A database of its own for one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Runs one statement on a connection of its own, as another program would; the rows. */
  query<Row extends QueryResultRow>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Ends every connection to it and removes it. */
  drop(): Promise<void>;
}

/** PostgreSQL copies a template only while nobody is connected to it: another copy may be under way. */
const TEMPLATE_IN_USE = '55006';

/** A fresh copy of the migrated template; with `{ isEmpty: true }` a database without any table. */
export async function createTestDatabase(options: { isEmpty?: boolean } = {}): Promise<TestDatabase> {
  const adminUrl = inject('postgresAdminUrl');
  const name = `proxy_test_${randomBytes(6).toString('hex')}`;
  const template = options.isEmpty ? 'template0' : inject('postgresTemplate');
  await createFrom(adminUrl, name, template);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  let client: Client | undefined;
  return {
    url: url.href,
    async query<Row extends QueryResultRow>(sql: string, parameters: readonly unknown[] = []) {
      client ??= await connect(url.href);
      return (await client.query<Row>(sql, [...parameters])).rows;
    },
    async drop() {
      await client?.end();
      await withClient(adminUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

async function createFrom(adminUrl: string, name: string, template: string): Promise<void> {
  await withClient(adminUrl, async (admin) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      } catch (error) {
        const isBusy = error instanceof DatabaseError && error.code === TEMPLATE_IN_USE;
        if (!isBusy || attempt === 100) throw error;
        await sleep(50);
      }
    }
  });
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function withClient<Result>(url: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
