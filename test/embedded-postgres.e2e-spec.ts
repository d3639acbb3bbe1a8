import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBinaries } from '../src/demo/embedded-postgres/embedded-postgres-binaries.js';
import { nobody, prepareHome } from '../src/demo/embedded-postgres/embedded-postgres-home.js';
import { identityOf } from '../src/demo/embedded-postgres/embedded-postgres-process.js';
import { EmbeddedPostgres } from '../src/demo/embedded-postgres/embedded-postgres.js';
import { openDatabase } from '../src/platform/database/open-database.js';
import { EmbeddedPostgresError } from '../src/demo/embedded-postgres/embedded-postgres.errors.js';
import { until } from './kit/wait.js';

const isRoot = process.getuid?.() === 0;

/** One connection, one statement, the first column of the first row. */
async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

const answers = (url: string) =>
  ask(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

const socketDirectoryOf = (url: string) => decodeURIComponent(new URL(url).hostname);

/** What a program prints that runs as `nobody`. */
function tryAsNobody(program: string): string {
  const options = { ...nobody(), cwd: '/', encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '-e', program], options);
  return stdout + stderr;
}

describe('embedded PostgreSQL', () => {
  let dataDir: string;
  let started: EmbeddedPostgres[];
  const clusterOf = () => join(realpathSync(join(dataDir, 'postgresql')), 'cluster');
  const serverPid = () => Number(readFileSync(join(clusterOf(), 'postmaster.pid'), 'utf8').split('\n')[0]);
  const start = async () => {
    const postgres = await EmbeddedPostgres.start(dataDir);
    started.push(postgres);
    return postgres;
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'embedded-postgres-'));
    started = [];
  });

  afterEach(async () => {
    for (const postgres of started) await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('starts a server that listens nowhere but on a Unix socket, knows its user by the kernel and syncs to disk', async () => {
    const { url } = await start();
    expect(await ask(url, 'SHOW listen_addresses')).toBe('');
    expect(await ask(url, 'SHOW unix_socket_directories')).toBe(`"${socketDirectoryOf(url)}"`);
    expect(await ask(url, 'SHOW fsync')).toBe('on');
    const { hostname, port } = new URL(url);
    const asAnother = ask(`postgres://another@${hostname}:${port}/control_plane`, 'SELECT 1');
    await expect(asAnother).rejects.toThrow(/no pg_hba\.conf entry/);
  });

  // the loader of glibc writes a file for each program that has these variables
  it.runIf(process.platform === 'linux')('runs no program with the environment of this process', async () => {
    const traces = mkdtempSync(join(tmpdir(), 'environment-'));
    chmodSync(traces, 0o777);
    Object.assign(process.env, { LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: join(traces, 'trace') });
    await start().finally(() => {
      delete process.env['LD_DEBUG'];
      delete process.env['LD_DEBUG_OUTPUT'];
    });
    expect(readdirSync(traces)).toEqual([]);
    rmSync(traces, { recursive: true });
  });

  it('keeps the files and the socket from other users', async () => {
    const { url } = await start();
    expect(statSync(socketDirectoryOf(url)).mode & 0o777).toBe(0o700);
    expect(statSync(clusterOf()).mode & 0o777).toBe(0o700);
  });

  // started as root it shared the user `nobody`, all of whose processes could read a password file
  it.runIf(isRoot)('runs, where this process is root, as a user that is nobody else', async () => {
    const { url } = await start();
    const { uid } = statSync(`/proc/${serverPid()}`);
    expect(uid).not.toBe(0);
    expect(readFileSync('/etc/passwd', 'utf8')).not.toMatch(new RegExp(`^[^:]*:[^:]*:${uid}:`, 'm'));
    const home = join(clusterOf(), '..');
    const inside = readdirSync(home, { recursive: true, encoding: 'utf8', withFileTypes: true });
    const files = inside
      .filter((entry) => !entry.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(files.length).toBeGreaterThan(900);
    expect(
      tryAsNobody(
        `for (const file of ${JSON.stringify(files)}) try { fs.closeSync(fs.openSync(file)); console.log(file) } catch {}`,
      ),
    ).toBe(`${home}/owners\n`);
    const socket = JSON.stringify(join(socketDirectoryOf(url), '.s.PGSQL.5432'));
    expect(tryAsNobody(`net.connect(${socket}).on('error', ({ code }) => console.log(code))`)).toBe(
      'EACCES\n',
    );
  });

  it('keeps data and address over a restart, and leaves no process', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS value');
    const pid = serverPid();
    await first.stop();
    expect(identityOf(pid)).toBeNull();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT value FROM kept')).toBe(42);
  });

  it.each([
    ['long', 'x'.repeat(120)],
    ['odd', `it's, "a" 100%41 dir:é`],
  ])('works in a directory with a %s name', async (_kind, name) => {
    chmodSync(dataDir, 0o711); // root's database stays in it
    const postgres = await EmbeddedPostgres.start(join(dataDir, name));
    expect(await ask(postgres.url, 'SELECT current_database()')).toBe('control_plane');
    const database = await openDatabase(postgres.url, 'auto');
    expect(await database.query('SELECT count(*)::int AS teams FROM teams')).toEqual([{ teams: 0 }]);
    await database.destroy();
    expect(statSync(socketDirectoryOf(postgres.url)).mode & 0o777).toBe(0o700);
    await postgres.stop();
    expect(existsSync(socketDirectoryOf(postgres.url))).toBe(false);
  });

  it('refuses a second start, names the directory and its owner, and leaves the first alone', async () => {
    const { url } = await start();
    const pid = serverPid();
    const second = EmbeddedPostgres.start(dataDir);
    await expect(second).rejects.toBeInstanceOf(EmbeddedPostgresError);
    await expect(second).rejects.toThrow(
      `DATA_DIR ${dataDir} is in use by another control plane (process ${process.pid}): end that one, set DATA_DIR to another directory, or set DATABASE_URL`,
    );
    expect(serverPid()).toBe(pid);
    expect(await ask(url, 'SELECT 1')).toBe(1);
  });

  it('can be started again by the same process once stopped', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(/in use/);
    await first.stop();
    expect(await ask((await start()).url, 'SELECT 1')).toBe(1);
  });

  it('lets one of two starts at the same time create the cluster', async () => {
    const outcomes = await Promise.allSettled([start(), start()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await ask(started[0]?.url ?? '', 'SELECT 1')).toBe(1);
  });

  it.each([
    ['nobody has', '4194303 1, x\n'],
    ['belongs to another program', `${process.pid} 1, x\n`],
    ['is missing, as after a loss of power', '\0\0\0'],
  ])('is not kept out by an owner whose pid %s', async (_case, owners) => {
    const { path } = prepareHome(dataDir);
    writeFileSync(join(path, 'owners'), owners);
    expect(await ask((await start()).url, 'SELECT 1')).toBe(1);
  });

  /** A server at work in the directory that no control plane owns, and the URL of its database, which has the table `kept`. */
  const leaveServer = async () => {
    const first = await EmbeddedPostgres.start(dataDir);
    const { url } = first;
    await ask(url, 'CREATE TABLE kept AS SELECT 42 AS value');
    await first.stop();
    const home = prepareHome(dataDir);
    const { postgres } = await findBinaries(home);
    const socket = join(home.path, 'socket');
    mkdirSync(socket);
    chmodSync(socket, 0o777);
    const settings = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${socket}`];
    const options = { cwd: home.path, ...home.account };
    const server = spawn(postgres, ['-D', clusterOf(), ...settings], { stdio: 'ignore', ...options });
    await until(() => answers(url));
    return { server, url };
  };

  it('ends a server that is left at work in the directory', async () => {
    const { server } = await leaveServer();
    const ended = once(server, 'exit');
    const { url } = await start();
    expect(await ended).toEqual([0, null]);
    expect(await ask(url, 'SELECT value FROM kept')).toBe(42);
  });

  it('waits for what a killed server has still at work', async () => {
    const { server, url } = await leaveServer();
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = rows[0]?.pid ?? 0;
    const busy = client.query('SELECT count(*) FROM generate_series(1, 10000000000)').catch(() => 'cut');
    const state = `SELECT state FROM pg_stat_activity WHERE pid = ${pid}`;
    await until(async () => (await ask(url, state)) === 'active');
    server.kill('SIGKILL');
    await once(server, 'exit');
    const starting = start();
    const log = join(clusterOf(), '../server.log');
    await until(() => existsSync(log) && /shared memory block .* in use/.test(readFileSync(log, 'utf8')));
    process.kill(pid, 'SIGKILL');
    expect(await busy).toBe('cut');
    expect(await ask((await starting).url, 'SELECT value FROM kept')).toBe(42);
  });

  it('starts again, at the same address, a server that was killed with SIGKILL', async () => {
    const { url } = await start();
    await ask(url, 'CREATE TABLE kept AS SELECT 42 AS value');
    const pid = serverPid();
    process.kill(pid, 'SIGKILL');
    await until(() =>
      ask(url, 'SELECT value FROM kept').then(
        (value) => value === 42,
        () => false,
      ),
    );
    expect(serverPid()).not.toBe(pid);
  });

  it.each([
    ['nobody has', 'sleep 0 & echo $!; wait'],
    ['is another program’s', 'sleep 60 & echo $!; wait'],
    // the shell's child ends once the shell has become a sleep, which never reaps it
    ['is a zombie', 'sleep 0.3 & echo $!; exec sleep 60'],
  ])('is not stopped by a postmaster.pid left behind whose pid %s', async (_case, script) => {
    const first = await start();
    const lock = readFileSync(join(clusterOf(), 'postmaster.pid'), 'utf8');
    await first.stop();
    // PostgreSQL minds a process of its own user alone
    const other = spawn('sh', ['-c', script], { detached: true, ...prepareHome(dataDir).account });
    const pid = Number(String((await once(other.stdout, 'data'))[0]));
    await until(() => (identityOf(pid) !== null) === script.startsWith('sleep 60'));
    writeFileSync(join(clusterOf(), 'postmaster.pid'), lock.replace(/^\d+/, String(pid)));
    expect(await ask((await start()).url, 'SELECT 1')).toBe(1);
    if (other.exitCode === null) process.kill(-(other.pid ?? 0), 'SIGKILL');
  });

  it('begins anew where the first start was interrupted', async () => {
    const unfinished = join(prepareHome(dataDir).path, 'cluster.unfinished');
    mkdirSync(join(unfinished, 'base'), { recursive: true });
    writeFileSync(join(unfinished, 'PG_VERSION'), '16\n');
    const { url } = await start();
    expect(await ask(url, 'SELECT 1')).toBe(1);
    expect(existsSync(unfinished)).toBe(false);
  });

  it('names DATA_DIR where the directory cannot be created', async () => {
    writeFileSync(join(dataDir, 'file'), '');
    const refused = EmbeddedPostgres.start(join(dataDir, 'file', 'data'));
    await expect(refused).rejects.toBeInstanceOf(EmbeddedPostgresError);
    await expect(refused).rejects.toThrow(
      /^DATA_DIR .*\/file\/data cannot be written \(ENOTDIR\): .+ set DATA_DIR/,
    );
  });

  it('names DATABASE_URL where there is no binary for the system', async () => {
    const arch = Object.getOwnPropertyDescriptor(process, 'arch')!;
    Object.defineProperty(process, 'arch', { ...arch, value: 'mips' });
    try {
      await expect(start()).rejects.toThrow(
        /^no embedded PostgreSQL is installed for this platform \(\w+-mips\): .+ set DATABASE_URL/,
      );
    } finally {
      Object.defineProperty(process, 'arch', arch);
    }
  });
});
