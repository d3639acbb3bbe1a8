import { execFile, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { findBinaries } from './embedded-postgres-binaries.js';
import { handOver, type Home, nobody, userName } from './embedded-postgres-home.js';
import { ENVIRONMENT, identityOf, isRunning, isServerOf, pidOf } from './embedded-postgres-process.js';
import { EmbeddedPostgresError, codeOf } from './embedded-postgres.errors.js';

const SUPERUSER = 'postgres';
const DATABASE = 'control_plane';
/** Only part of the socket's name: the server does not listen on TCP. */
const PORT = 5432;
/** macOS allows 103 bytes, Linux 107. */
const LONGEST_SOCKET_PATH = 103;
/** Crash recovery of a large log may take this long. */
const READY_WITHIN_MS = 60_000;
/** Fast shutdown, then an immediate one (after which the next start recovers), then a kill. */
const STOP_SIGNALS = [
  { signal: 'SIGINT', waitMs: 20_000 },
  { signal: 'SIGQUIT', waitMs: 5_000 },
  { signal: 'SIGKILL', waitMs: 5_000 },
] as const;

/** A database cluster on disk. Its server is reached by a Unix socket that only this process's user and root can use. */
export class Cluster {
  private constructor(
    private readonly home: Home,
    private readonly binary: string,
    private readonly socketDirectory: string,
  ) {}

  /**
   * Opens the home's cluster, and creates it the first time. Ends the server that an owner left running when it was killed.
   *
   * @throws EmbeddedPostgresError
   */
  static async open(home: Home): Promise<Cluster> {
    const { initdb, postgres } = await findBinaries(home);
    const directory = join(home.path, 'cluster');
    if (!existsSync(directory)) await create(directory, home, initdb);
    await endLeftServer(directory);
    admitOwnUser(directory);
    return new Cluster(home, postgres, openSocketDirectory(home));
  }

  /** `postgres://postgres@%2F…%2Fsocket:5432/control_plane`, which psql accepts too. */
  urlOf(database = DATABASE): string {
    return `postgres://${SUPERUSER}@${encodeURIComponent(this.socketDirectory)}:${PORT}/${database}`;
  }

  /**
   * Starts the server and waits until it answers.
   *
   * @returns the identity of its process.
   * @throws EmbeddedPostgresError with the last message of the server.
   */
  async start(): Promise<string> {
    const logFile = join(this.home.path, 'server.log');
    for (const deadline = Date.now() + READY_WITHIN_MS; ; await sleep(100)) {
      const server = this.spawn(logFile);
      while (isRunning(server) && Date.now() < deadline) {
        if (await this.isReady()) return server;
        await sleep(20);
      }
      await endServer(server);
      const said = readFileSync(logFile, 'utf8');
      // in use by processes of a killed server, which end by themselves
      if (/shared memory block .* in use/.test(said) && Date.now() < deadline) continue;
      const [, reason = 'no message'] = /.*(?:FATAL|PANIC|ERROR|error):\s*(.*)/s.exec(said.trim()) ?? [];
      throw new EmbeddedPostgresError(
        `the embedded PostgreSQL did not start (${reason.split('\n')[0]}): see ${logFile}, or set DATABASE_URL to use a server of your own`,
      );
    }
  }

  /** Ends a server that `start` returned, and removes its socket. */
  async stop(server: string): Promise<void> {
    await endServer(server);
    remove(this.socketDirectory);
  }

  /** Starts the server in a session of its own: Ctrl-C must reach only this process, which stops the server last. */
  private spawn(logFile: string): string {
    const { path, account } = this.home;
    const settings = [
      'listen_addresses=',
      `unix_socket_directories="${this.socketDirectory.replaceAll('"', '""')}"`,
      `port=${PORT}`,
      'fsync=on',
    ];
    remove(logFile);
    const log = openSync(logFile, 'wx', 0o600);
    const child = spawn(this.binary, ['-D', join(path, 'cluster'), ...settings.flatMap((s) => ['-c', s])], {
      cwd: path,
      env: ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log, log],
      ...account,
    });
    closeSync(log);
    child.on('error', () => {}); // the caller sees that the process does not run
    child.unref();
    return identityOf(child.pid ?? 0) ?? '';
  }

  /** True once the server answers and has the database, which is created the first time. */
  private async isReady(): Promise<boolean> {
    const client = new Client({
      connectionString: this.urlOf('postgres'),
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => {}); // a connection that breaks fails the query too
    try {
      await client.connect();
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** Creates the cluster in another directory and renames it: an interrupted first start leaves nothing half made. */
async function create(directory: string, { path, account }: Home, initdb: string): Promise<void> {
  const unfinished = `${directory}.unfinished`;
  // initdb, unlike the server, refuses a user without a name
  const creator = account && nobody();
  remove(unfinished);
  mkdirSync(unfinished, { mode: 0o700 });
  handOver(unfinished, creator);
  const how = ['--auth-local=peer', '--auth-host=reject', '--encoding=UTF8', '--no-locale'];
  try {
    const options = { cwd: path, env: ENVIRONMENT, ...creator };
    await promisify(execFile)(initdb, ['-D', unfinished, '-U', SUPERUSER, ...how], options);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').join('; ');
    throw new EmbeddedPostgresError(
      `the database could not be created in ${path}: ${said || codeOf(error)}`,
      { cause: error },
    );
  }
  handOver(unfinished, account);
  renameSync(unfinished, directory);
}

async function endLeftServer(directory: string): Promise<void> {
  const lock = join(directory, 'postmaster.pid');
  if (!existsSync(lock)) return;
  const server = identityOf(Number.parseInt(readFileSync(lock, 'utf8'), 10));
  if (server !== null && isServerOf(directory, pidOf(server))) await endServer(server);
  // With this file PostgreSQL does not start if the pid is that of a zombie or, by now, of another program. It does not need the
  // file to find processes of a killed server: it finds them by their shared memory.
  remove(lock);
}

async function endServer(server: string): Promise<void> {
  for (const { signal, waitMs } of STOP_SIGNALS) {
    if (!isRunning(server)) return;
    process.kill(pidOf(server), signal);
    const deadline = Date.now() + waitMs;
    while (isRunning(server) && Date.now() < deadline) await sleep(20);
  }
}

/**
 * Lets only the system user that this process runs as connect. The kernel tells the server who that is: there is no
 * password.
 */
function admitOwnUser(directory: string): void {
  const files = {
    'pg_hba.conf': `local all ${SUPERUSER} peer map=own\n`,
    'pg_ident.conf': `own "${userName()}" ${SUPERUSER}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    remove(join(directory, name));
    writeFileSync(join(directory, name), content, { flag: 'wx', mode: 0o644 });
  }
}

/**
 * A directory of mode 0700, beside the cluster, or in the temporary directory if the path would be too long for a
 * socket.
 */
function openSocketDirectory({ path, account }: Home): string {
  let directory = join(path, 'socket');
  remove(directory);
  const isShort = Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}`)) <= LONGEST_SOCKET_PATH;
  if (isShort) mkdirSync(directory, { mode: 0o700 });
  else directory = mkdtempSync(join(realpathSync(account === null ? tmpdir() : '/tmp'), 'postgresql-'));
  handOver(directory, account);
  return directory;
}

/** Removes a file or a directory, if there is one; never what a link leads to. */
function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
