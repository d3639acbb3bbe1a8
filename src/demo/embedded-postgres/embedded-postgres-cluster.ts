import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { PostgresBinaries } from './embedded-postgres-binaries.js';
import { discard, handOver, type Home } from './embedded-postgres-home.js';
import {
  identityOf,
  isRunning,
  type ProcessIdentity,
  workingDirectoryOf,
} from './embedded-postgres-process.js';
import { EmbeddedPostgresError, reasonOf } from './embedded-postgres.errors.js';

/** A server at work: which process, and the port on 127.0.0.1 that it answers on. */
export interface RunningServer {
  readonly process: ProcessIdentity;
  readonly port: number;
  /** True when a control plane started it, this one or one before; false for somebody's own `pg_ctl`. */
  readonly isOurs: boolean;
}

const SUPERUSER = 'postgres';
const DATABASE = 'control_plane';
/** The server's `cluster_name`: how a later start, or `ps`, knows whose it is. */
const CLUSTER_NAME = 'sandbox-control-plane';
/** Crash recovery of a large log may take this long. */
const READY_WITHIN_MS = 60_000;
const FAST_STOP_MS = 20_000;
const IMMEDIATE_STOP_MS = 5_000;

/** One database cluster on disk: creates it, starts, finds and stops its server. Keeps no state of its own. */
export class Cluster {
  readonly directory: string;
  readonly #home: Home;
  readonly #password: string;

  private constructor(home: Home, password: string) {
    this.#home = home;
    this.directory = join(home.path, 'cluster');
    this.#password = password;
  }

  /**
   * Opens the home's cluster, creating it the first time: `initdb` works beside it and the result is
   * renamed into place, so that an interrupted first start leaves nothing half made.
   */
  static async open(home: Home, binaries: () => Promise<PostgresBinaries>): Promise<Cluster> {
    const passwordFile = join(home.path, 'password');
    const cluster = join(home.path, 'cluster');
    if (!existsSync(cluster)) {
      const unfinished = join(home.path, 'cluster.unfinished');
      discard(unfinished);
      discard(passwordFile);
      writeFileSync(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
      handOver(passwordFile, home);
      const how = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--no-locale'];
      const { initdb } = await binaries();
      try {
        const options = { cwd: home.path, env: serverEnvironment(), ...home.account };
        await promisify(execFile)(initdb, ['-D', unfinished, '-U', SUPERUSER, ...how], options);
      } catch (error) {
        const said = (error as { stderr?: string }).stderr?.trim().split('\n').join('; ');
        throw new EmbeddedPostgresError(
          `the database could not be created in ${home.path}: ${said || reasonOf(error)}`,
          {
            cause: error,
          },
        );
      }
      renameSync(unfinished, cluster);
    }
    return new Cluster(home, readFileSync(passwordFile, 'utf8'));
  }

  url(port: number, database = DATABASE): string {
    return `postgres://${SUPERUSER}:${this.#password}@127.0.0.1:${port}/${database}`;
  }

  /** Where the server's own messages go. */
  get logFile(): string {
    return join(this.#home.path, 'server.log');
  }

  /**
   * The server that already runs on this very directory, once it answers; null when there is none.
   * A `postmaster.pid` left by a killed server is made harmless where PostgreSQL alone would trip over it.
   */
  async findRunning(): Promise<RunningServer | null> {
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      const lock = this.#readLock();
      if (lock === null) return null;
      const holder = identityOf(lock.pid);
      if (holder === null || !this.#mayBeOurs(holder)) {
        this.#invalidateLock();
        return null;
      }
      const name = lock.port === undefined ? null : await this.#nameOfServerAt(lock.port);
      if (lock.port !== undefined && name !== null) {
        return { process: holder, port: lock.port, isOurs: name === CLUSTER_NAME };
      }
      if (Date.now() > deadline) {
        throw new EmbeddedPostgresError(
          `process ${lock.pid} holds the database in ${this.directory} and does not answer: see ${this.logFile}, end that process and start again`,
        );
      }
      await sleep(100);
    }
  }

  /**
   * Starts a server on `preferredPort`, or on a free one where that is taken, and waits until it answers.
   * In a session of its own: Ctrl-C at the terminal must reach this process alone, which stops the server last.
   */
  async start({ postgres }: PostgresBinaries, preferredPort: number | undefined): Promise<RunningServer> {
    for (let attempt = 1; ; attempt++) {
      const port = await freePort(attempt === 1 ? preferredPort : undefined);
      const settings = [
        'listen_addresses=127.0.0.1',
        `port=${port}`,
        'unix_socket_directories=',
        'fsync=on',
        `cluster_name=${CLUSTER_NAME}`,
      ];
      const log = openSync(this.logFile, 'w', 0o600);
      handOver(this.logFile, this.#home);
      const child = spawn(postgres, ['-D', this.directory, ...settings.flatMap((s) => ['-c', s])], {
        cwd: this.#home.path,
        env: serverEnvironment(),
        detached: true,
        stdio: ['ignore', log, log],
        ...this.#home.account,
      });
      closeSync(log);
      child.on('error', () => {}); // seen below: there is no such process
      child.unref();
      const server = child.pid === undefined ? null : identityOf(child.pid);
      if (server !== null && (await this.#becomesReady(server, port))) {
        return { process: server, port, isOurs: true };
      }
      const said = readFileSync(this.logFile, 'utf8').trim();
      if (attempt < 3 && /could not bind|Address already in use/.test(said)) continue;
      throw new EmbeddedPostgresError(
        `the embedded PostgreSQL did not start (${lastErrorOf(said)}): see ${this.logFile}, or set DATABASE_URL to use a server of your own`,
      );
    }
  }

  /** Creates the database inside the cluster unless it exists. */
  async createDatabase(port: number): Promise<void> {
    await this.#ask(port, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    });
  }

  /** Fast shutdown; if the server does not end in time an immediate one (recovered from at the next start), then SIGKILL. */
  async stop(server: ProcessIdentity): Promise<void> {
    const escalation = [
      { signal: 'SIGINT', waitMs: FAST_STOP_MS },
      { signal: 'SIGQUIT', waitMs: IMMEDIATE_STOP_MS },
      { signal: 'SIGKILL', waitMs: IMMEDIATE_STOP_MS },
    ] as const;
    for (const { signal, waitMs } of escalation) {
      if (!isRunning(server)) return;
      process.kill(server.pid, signal);
      const deadline = Date.now() + waitMs;
      while (isRunning(server) && Date.now() < deadline) await sleep(20);
    }
  }

  /** `postmaster.pid`: line 1 the pid, line 4 the port (absent for the first moments). */
  #readLock(): { pid: number; port: number | undefined } | null {
    try {
      const lines = readFileSync(join(this.directory, 'postmaster.pid'), 'utf8').split('\n');
      return { pid: Math.abs(Number(lines[0])), port: lines[3] ? Number(lines[3]) : undefined };
    } catch {
      return null;
    }
  }

  /** False where the pid surely belongs to something else by now: another program, or a server of another directory. */
  #mayBeOurs(holder: ProcessIdentity): boolean {
    const workingDirectory = workingDirectoryOf(holder.pid);
    if (workingDirectory !== undefined) return workingDirectory === this.directory;
    return holder.command === 'postgres';
  }

  /**
   * The pid of a zombie, or one given to another program since, makes PostgreSQL refuse to start. A file
   * that names its own parent it takes for stale, and then still looks at the shared memory recorded
   * there: safer than removing the file while a killed server's children may be at work.
   */
  #invalidateLock(): void {
    const path = join(this.directory, 'postmaster.pid');
    const [, ...rest] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [process.pid, ...rest].join('\n'));
  }

  async #becomesReady(server: ProcessIdentity, port: number): Promise<boolean> {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (isRunning(server) && Date.now() < deadline) {
      if ((await this.#nameOfServerAt(port)) === CLUSTER_NAME) return true;
      await sleep(20);
    }
    await this.stop(server);
    return false;
  }

  /** The `cluster_name` of the server on that port; null unless it takes our password and works on this directory. */
  async #nameOfServerAt(port: number): Promise<string | null> {
    try {
      return await this.#ask(port, async (client) => {
        const { rows } = await client.query<{ directory: string; name: string }>(
          `SELECT current_setting('data_directory') AS directory, current_setting('cluster_name') AS name`,
        );
        return rows[0]?.directory === this.directory ? rows[0].name : null;
      });
    } catch {
      return null;
    }
  }

  async #ask<T>(port: number, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({
      connectionString: this.url(port, 'postgres'),
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => {}); // a connection that breaks fails the query too
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Nothing of this process's environment: it may hold secrets. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
}

/** `preferred` where it can be bound on 127.0.0.1, otherwise any free port. */
async function freePort(preferred = 0): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once('error', (error) => (preferred === 0 ? reject(error) : resolve(freePort())));
    probe.listen({ host: '127.0.0.1', port: preferred, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** `… FATAL:  lock file exists` -> `lock file exists` */
function lastErrorOf(log: string): string {
  const lines = log.split('\n').filter((line) => /(FATAL|PANIC|ERROR|error):/.test(line));
  return (
    (lines.at(-1) ?? log.split('\n').at(-1) ?? '').replace(/^.*?(FATAL|PANIC|ERROR|error):\s*/, '') ||
    'no message'
  );
}
