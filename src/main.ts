import 'reflect-metadata';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { loadEnvFile } from 'node:process';
import { promisify } from 'node:util';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { AppModule } from './app.module.js';
import { configureApp } from './app.setup.js';
import { onSignals, Shutdown } from './boot/shutdown.js';
import { startProblem } from './boot/start-problem.js';
import { Configuration, loadConfiguration } from './config/configuration.js';
import { EmbeddedPostgres } from './database/embedded-postgres.js';
import { keptAdminToken } from './first-run/admin-token.js';
import { banner, sharedBanner } from './first-run/banner.js';
import { curlTarget, ownUrl } from './first-run/curl-target.js';
import { prepareDemo } from './first-run/demo-seed.js';
import { LocalSandbox } from './first-run/local-sandbox.js';
import { SandboxUrls } from './sandboxes/sandbox-urls.service.js';

/** Beyond the time that requests in progress are given: closing the data source and the like. */
const CLOSE_MARGIN_MS = 5_000;
/** Longer than the launcher itself takes from a fast shutdown to SIGKILL. */
const POSTGRES_STOP_MS = 40_000;

const print = promisify((text: string, done: (error?: Error | null) => void) =>
  process.stdout.write(text, done),
);
const shutdown = new Shutdown();
let configuration: Configuration | undefined;

async function start(): Promise<void> {
  if (existsSync('.env')) loadEnvFile('.env');
  configuration = loadConfiguration(process.env);
  if (configuration.DATABASE_URL === undefined) return startEmbedded(configuration);
  const { url } = await openApp(configuration);
  await print(`Sandbox control plane on ${url}\n`);
}

/** Without DATABASE_URL: PostgreSQL from npm in DATA_DIR, and a sandbox on this machine with a demo inside. */
async function startEmbedded(settings: Configuration): Promise<void> {
  const { DATA_DIR } = settings;
  const postgres = await EmbeddedPostgres.start(DATA_DIR, console.warn);
  shutdown.add(() => postgres.stop(), POSTGRES_STOP_MS);
  const isAlone = postgres.sharedWith.length === 0;
  const ownPorts = [postgres.port];
  const local = isAlone ? await LocalSandbox.start(DATA_DIR, () => ownPorts) : null;
  if (local !== null) shutdown.add(() => local.stop(), CLOSE_MARGIN_MS);
  const adminToken = settings.ADMIN_TOKEN === undefined ? keptAdminToken(DATA_DIR) : null;

  const filledIn = { DATABASE_URL: postgres.url, ...(adminToken && { ADMIN_TOKEN: adminToken.token }) };
  const { app, url, port } = await openApp(Object.assign(new Configuration(), settings, filledIn));
  ownPorts.push(port);
  if (local === null) return print(sharedBanner(url, postgres.sharedWith));

  const demo = await prepareDemo(app.get(DataSource), DATA_DIR, local.agentAddress);
  const urlTemplate = app.get(SandboxUrls).templateOf(demo.sandbox?.id ?? '');
  const target = (sandboxPort: number) => curlTarget(settings, url, urlTemplate, sandboxPort);
  const places = { urlTemplate, demo: target(local.demoPort), port3000: target(3000) };
  const sandbox = demo.sandbox && { status: demo.sandbox.status, ...places };
  await print(banner({ url, teamId: demo.teamId, sandbox, apiKey: demo.apiKey, adminToken }));
  demo.forgetApiKey();
}

/** The application, listening. Its own log begins in `configureApp`. */
async function openApp(settings: Configuration) {
  const { HOST, PORT, SHUTDOWN_GRACE_MS } = settings;
  const options = { logger: false, abortOnError: false } as const;
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings), options);
  shutdown.add(() => app.close(), SHUTDOWN_GRACE_MS + CLOSE_MARGIN_MS);
  configureApp(app);
  await app.listen(PORT, HOST);
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, port, url: ownUrl(HOST, port) };
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
let isStopping = false;
const started = start().catch(async (error: unknown) => {
  await shutdown.run();
  if (isStopping) return; // Ctrl-C also ends what a start has under way
  console.error(startProblem(error, configuration));
  process.exit(1);
});
onSignals(() => {
  isStopping = true;
  void started.then(() => shutdown.run()).then(() => process.exit(0));
});
