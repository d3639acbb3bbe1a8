import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Logger } from 'pino';
import { Configuration } from '../config/configuration.js';
import { openDatabase } from '../../platform/database/open-database.js';
import { createLogger } from '../logging/logger.js';
import { relayLines } from '../logging/relayed-lines.js';
import { standardOutput } from '../logging/standard-output.js';
import { CLOSE_MARGIN_MS, type Shutdown } from './shutdown.js';
import { watchClusterListener } from './stop-listening.js';
import { closeUntakenConnections } from './untaken-connections.js';

/** A worker that ends is replaced no sooner than this after it was started, milliseconds. */
const REPLACE_AFTER_MS = 1_000;

/** How long a connection may be on its way to a worker, milliseconds. */
const HAND_OVER_MS = 500;

/** A worker could not start, so the program cannot either. The message is that of the worker. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
}

/**
 * Runs the application in WORKERS processes that share one listener. This process, the primary, holds the listener,
 * gives each connection to a worker, and replaces workers that end. A worker runs this same program and takes the other
 * branch in `main.ts`. If the primary is killed, node:cluster ends its workers.
 *
 * @returns the port that they listen on.
 * @throws WorkerStartError; before any worker is started, DatabaseStartError (the schema is brought up to date here)
 *   and the error of the listener, e.g. EADDRINUSE.
 */
export async function openWorkers(settings: Configuration, shutdown: Shutdown): Promise<number> {
  const { DATABASE_URL = '', MIGRATIONS, SHUTDOWN_DELAY_MS, SHUTDOWN_GRACE_MS } = settings;
  await (await openDatabase(DATABASE_URL, MIGRATIONS)).destroy();
  const port = await freePort(settings);
  const stopListening = watchClusterListener();
  const workers = new Workers(Object.assign(new Configuration(), settings, { PORT: port }), stopListening);
  const patienceMs = SHUTDOWN_DELAY_MS + HAND_OVER_MS + SHUTDOWN_GRACE_MS + 2 * CLOSE_MARGIN_MS;
  shutdown.add(() => workers.stop(patienceMs), patienceMs + CLOSE_MARGIN_MS);
  await workers.start();
  return port;
}

/** Sends a worker's problem to the primary, which prints that of the first worker, once. */
export function tellPrimary(problem: string): Promise<void> {
  return new Promise((resolve) => process.send?.({ problem }, undefined, undefined, () => resolve()));
}

/** PORT, or a free one if it is 0: by itself node:cluster would take another port after all workers have died at once. */
async function freePort({ HOST, PORT }: Configuration): Promise<number> {
  const probe = createServer();
  await once(probe.listen(PORT, HOST), 'listening');
  const { port } = probe.address() as AddressInfo;
  await once(probe.close(), 'close');
  return port;
}

class Workers {
  private readonly running = new Set<Worker>();
  private readonly log: Logger;
  private readonly environment: Record<string, string>;
  private isStopping = false;

  /** @param stopListening closes the listener that this process holds for the workers */
  constructor(
    private readonly settings: Configuration,
    private readonly stopListening: () => Promise<void>,
  ) {
    const { DATABASE_URL = '', ADMIN_TOKEN = '', AGENT_TOKEN = '', PORT, LOG_LEVEL } = settings;
    this.log = createLogger(LOG_LEVEL);
    // a worker takes connections for a moment longer than they are accepted here
    const delayMs = settings.SHUTDOWN_DELAY_MS === 0 ? 0 : settings.SHUTDOWN_DELAY_MS + HAND_OVER_MS;
    const own = { PORT: String(PORT), SHUTDOWN_DELAY_MS: String(delayMs) };
    this.environment = { DATABASE_URL, ADMIN_TOKEN, AGENT_TOKEN, ...own };
  }

  /** Resolves when all listen; rejects as soon as one ends before it does. */
  async start(): Promise<void> {
    // not our own stdout: a child makes writes to it wait for the reader, in this process too
    cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const start = () => new Promise<void>((resolve, reject) => this.fork(resolve, reject));
    await Promise.all(Array.from({ length: this.settings.WORKERS }, start));
  }

  /** Lets every worker shut down as the program alone would. Workers that are left after `patienceMs` are killed. */
  async stop(patienceMs: number): Promise<void> {
    this.isStopping = true;
    // not until its log has been read to the end
    const ended = [...this.running].map((worker) => once(worker.process, 'close'));
    this.signal('SIGTERM');
    setTimeout(() => void this.stopListening(), this.settings.SHUTDOWN_DELAY_MS);
    const patience = setTimeout(() => this.signal('SIGKILL'), patienceMs);
    await Promise.all(ended);
    clearTimeout(patience);
  }

  /**
   * Starts a worker, and another one whenever it ends.
   *
   * @param onFailure called instead if the first one ends before it listens
   */
  private fork(onListening = () => {}, onFailure?: (error: WorkerStartError) => void): void {
    if (this.isStopping) return;
    const worker = cluster.fork(this.environment);
    relayLines(worker.process.stdout, standardOutput(1));
    relayLines(worker.process.stderr, standardOutput(2));
    const { pid } = worker.process;
    const forkedAt = performance.now();
    let hasListened = false;
    let problem: string | undefined;
    const ended = (how: string) => {
      this.running.delete(worker);
      if (this.isStopping) return;
      problem ??= `a worker ended with ${how}`;
      if (!hasListened && onFailure) return onFailure(new WorkerStartError(problem));
      this.log.error({ pid, problem }, 'worker ended; starting another');
      setTimeout(() => this.fork(), Math.max(0, forkedAt + REPLACE_AFTER_MS - performance.now()));
    };
    this.running.add(worker);
    closeUntakenConnections(worker, () => this.isStopping);
    worker.on('message', (message: { problem: string }) => ({ problem } = message));
    worker.once('listening', () => {
      hasListened = true;
      this.log.info({ pid }, 'worker listens');
      onListening();
    });
    worker.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    // also emitted if a connection was on its way to a worker that was killed; 'exit' follows, unless the worker never ran
    worker.on('error', (error) => {
      if (pid === undefined) ended(error.message);
    });
  }

  private signal(signal: NodeJS.Signals): void {
    for (const worker of this.running) worker.process.kill(signal);
  }
}
