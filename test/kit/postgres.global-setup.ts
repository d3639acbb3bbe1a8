import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/platform/database/migrate.js';
import { startPostgres } from './postgres.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A role that may create databases, connected to a database that tests do not use. */
    postgresAdminUrl: string;
    /** An empty database with the migrations applied. */
    postgresTemplate: string;
  }
}

/**
 * One PostgreSQL for the run, and one migrated database on it that every test file copies.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres();
  const template = `proxy_template_${process.pid}_${Date.now()}`;
  const admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${template}`);
  const url = new URL(server.adminUrl);
  url.pathname = `/${template}`;
  await migrate(url.href);
  project.provide('postgresAdminUrl', server.adminUrl);
  project.provide('postgresTemplate', template);
  return async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await admin.end();
    await server.stop();
  };
}
