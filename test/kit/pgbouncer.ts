import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './postgres.js';
import { until } from './wait.js';

/** Debian's package `pgbouncer`. */
const PGBOUNCER = '/usr/sbin/pgbouncer';
/** Whom it runs as where the tests run as root, which it refuses. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

export interface PgBouncer {
  /** Of the same database, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * A PgBouncer in transaction mode in front of the database at `url`. `poolSize` is of connections to the server: with
 * one, all clients share it.
 */
export async function startPgBouncer(url: string, poolSize = 5): Promise<PgBouncer> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-proxy-pgbouncer-'));
  const listenPort = await freePort();
  const target = `host=${hostname} port=${port} user=${username}${password && ` password=${password}`}`;
  const ini = [
    '[databases]',
    `${pathname.slice(1)} = ${target}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${listenPort}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${poolSize}`,
    // pg sends it when it connects, and PgBouncer would refuse the connection
    'ignore_startup_parameters = statement_timeout',
  ];
  const file = join(directory, 'pgbouncer.ini');
  writeFileSync(file, `${ini.join('\n')}\n`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) for (const path of [directory, file]) chownSync(path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const output: string[] = [];
  const child = spawn(PGBOUNCER, [file], {
    ...(isRoot ? UNPRIVILEGED : {}),
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void output.push(chunk.toString()));
  await listening(child, listenPort, output);
  const pooled = new URL(url);
  pooled.host = `127.0.0.1:${listenPort}`;
  return {
    url: pooled.href,
    async stop() {
      const exited = new Promise((resolve) => void child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGKILL')) await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function listening(child: ChildProcess, port: number, output: readonly string[]): Promise<void> {
  let failure: Error | null = null;
  child.once('error', (error) => (failure = error));
  const hasEnded = (): boolean => failure !== null || child.exitCode !== null;
  await until(async () => hasEnded() || (await accepts(port)), 'PgBouncer listens');
  if (hasEnded()) throw new Error(`${PGBOUNCER} does not run: ${output.join('')}`, { cause: failure });
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}
