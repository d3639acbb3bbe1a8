import './program/boot/engine-flags.js';
import 'reflect-metadata';
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { CLOSE_MARGIN_MS, onSignals, Shutdown } from './program/boot/shutdown.js';
import { startProblem } from './program/boot/start-problem.js';
import { openWorkers, tellPrimary } from './program/boot/workers.js';
import { Configuration, CONFIGURATION_VARIABLES, loadConfiguration } from './program/config/configuration.js';
import { unknownSettings } from './program/config/unknown-settings.js';
import { standardOutput } from './program/logging/standard-output.js';
import { EmbeddedPostgres } from './demo/embedded-postgres/embedded-postgres.js';
import { openDatabase } from './platform/database/open-database.js';
import { keptAdminToken } from './demo/first-run/admin-token.js';
import { banner } from './demo/first-run/banner.js';
import { curlTarget, ownUrl } from './demo/first-run/curl-target.js';
import { prepareDemo } from './demo/first-run/demo-seed.js';
import { LocalSandbox } from './demo/first-run/local-sandbox.js';
import { sandboxUrlTemplate } from './platform/sandboxes/sandbox-url-template.js';

/** Longer than the launcher takes from a fast shutdown to SIGKILL. */
const POSTGRES_STOP_MS = 40_000;

const SETTINGS = CONFIGURATION_VARIABLES.map(({ name }) => name);

const shutdown = new Shutdown();
let configuration: Configuration | undefined;

async function start(): Promise<void> {
  if (cluster.isPrimary && existsSync('.env')) loadEnvFile('.env');
  if (cluster.isPrimary) for (const line of unknownSettings(process.env, SETTINGS)) console.warn(line);
  configuration = loadConfiguration(process.env);
  if (cluster.isWorker) return void (await openHere(configuration));
  if (configuration.DATABASE_URL === undefined) return startEmbedded(configuration);
  const port = await open(configuration);
  await print(`Sandbox control plane on ${ownUrl(configuration.HOST, port)}\n`);
}

/** Start without DATABASE_URL: PostgreSQL from npm in DATA_DIR, and this machine as a sandbox, with a demo app inside. */
async function startEmbedded(settings: Configuration): Promise<void> {
  const { DATA_DIR, HOST, PORT } = settings;
  const postgres = await EmbeddedPostgres.start(DATA_DIR, console.warn);
  shutdown.add(() => postgres.stop(), POSTGRES_STOP_MS);
  const ownPorts = [PORT];
  const agentToken = settings.AGENT_TOKEN ?? randomBytes(24).toString('hex');
  const local = await LocalSandbox.start({ dataDir: DATA_DIR, agentToken, deniedPorts: () => ownPorts });
  shutdown.add(() => local.stop(), CLOSE_MARGIN_MS);
  const adminToken = settings.ADMIN_TOKEN === undefined ? keptAdminToken(DATA_DIR) : null;

  const secrets = { AGENT_TOKEN: agentToken, ...(adminToken && { ADMIN_TOKEN: adminToken.token }) };
  const filledIn = { DATABASE_URL: postgres.url, ...secrets };
  const port = await open(Object.assign(new Configuration(), settings, filledIn));
  ownPorts.push(port);
  const url = ownUrl(HOST, port);

  const database = await openDatabase(postgres.url, 'off');
  const demo = await prepareDemo(database, DATA_DIR, local.agentAddress).finally(() => database.destroy());
  if (demo.sandbox) local.run(demo.sandbox.id);
  const urlTemplate = sandboxUrlTemplate(
    { publicUrl: settings.PUBLIC_URL, sandboxDomains: settings.SANDBOX_DOMAINS },
    port,
    demo.sandbox?.id ?? '',
  );
  const target = (sandboxPort: number) => curlTarget(settings, url, urlTemplate, sandboxPort);
  const places = { urlTemplate, demo: target(local.demoPort), port3000: target(3000) };
  const sandbox = demo.sandbox && { status: demo.sandbox.status, ...places };
  const isShown = await print(banner({ url, teamId: demo.teamId, sandbox, apiKey: demo.apiKey, adminToken }));
  if (isShown) demo.forgetApiKey();
}

/** The application, listening on the port it returns: in this process, or in WORKERS others. */
function open(settings: Configuration): Promise<number> {
  return settings.WORKERS === 1 ? openHere(settings) : openWorkers(settings, shutdown);
}

/** Loads the application only here, because a process that only manages workers does not need its 30 MB. */
async function openHere(settings: Configuration): Promise<number> {
  const { openApp } = await import('./open-app.js');
  return openApp(settings, shutdown);
}

/** Prints to stdout, and tells whether that worked. If not, the program runs all the same. */
function print(text: string): Promise<boolean> {
  standardOutput().write(text);
  return standardOutput().flush();
}

/** Ends the process once its log has been written or cannot be written. */
async function exit(code: number): Promise<never> {
  await Promise.all([standardOutput(1).flush(), standardOutput(2).flush()]);
  process.exit(code);
}

function fail(error: unknown): void {
  console.error(error);
  void exit(1);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
let isStopping = false;
const started = start().catch(async (error: unknown) => {
  await shutdown.run();
  if (isStopping) return; // Ctrl-C during the start makes it fail, which is not a problem to print
  const problem = startProblem(error, configuration);
  if (cluster.isWorker) await tellPrimary(problem);
  else console.error(problem);
  await exit(1);
});
onSignals(() => {
  isStopping = true;
  void started.then(() => shutdown.run()).then(() => exit(0));
});
