import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { AppModule } from '../../src/app.module.js';
import { configureApp } from '../../src/program/app.setup.js';
import { type Configuration, loadConfiguration } from '../../src/program/config/configuration.js';
import { createTestDatabase, type TestDatabase } from './database.js';

/** The real application on a free loopback port. */
export interface StartedApp {
  readonly app: NestExpressApplication;
  /** `http://127.0.0.1:{port}`. */
  readonly url: string;
  readonly port: number;
  readonly db: TestDatabase;
  readonly adminToken: string;
  readonly configuration: Configuration;
  /** Closes the app, and drops the database unless it was given. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Environment variables beside the tests' own, e.g. `{ SANDBOX_DOMAINS: 'localhost' }`. */
  readonly env?: Readonly<Record<string, string>>;
  /** A database that the caller made and drops. */
  readonly db?: TestDatabase;
  /** Replaces providers before the module is compiled. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** The last word before the app is initialised, e.g. to install CORS or a global prefix. */
  readonly beforeInit?: (app: NestExpressApplication) => void;
}

const ADMIN_TOKEN = 'test-admin-token-0123456789';

/** Starts `AppModule` as `main.ts` does, on a database of its own and on port 0. */
export async function startApp(options: StartOptions = {}): Promise<StartedApp> {
  const db = options.db ?? (await createTestDatabase());
  const configuration = loadConfiguration({
    PORT: '0',
    DATABASE_URL: db.url,
    ADMIN_TOKEN,
    LOG_LEVEL: 'silent',
    ...options.env,
  });
  const builder = Test.createTestingModule({ imports: [AppModule.forRoot(configuration)] });
  const module = await (options.override?.(builder) ?? builder).compile();
  const app = module.createNestApplication<NestExpressApplication>();
  configureApp(app);
  options.beforeInit?.(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return {
    app,
    url,
    port: Number(new URL(url).port),
    db,
    adminToken: ADMIN_TOKEN,
    configuration,
    async close() {
      await app.close();
      if (options.db === undefined) await db.drop();
    },
  };
}
