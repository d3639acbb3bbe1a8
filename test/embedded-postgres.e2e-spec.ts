import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBinaries } from '../src/demo/embedded-postgres/embedded-postgres-binaries.js';
import { prepareHome } from '../src/demo/embedded-postgres/embedded-postgres-home.js';
import { identityOf } from '../src/demo/embedded-postgres/embedded-postgres-process.js';
import { EmbeddedPostgres } from '../src/demo/embedded-postgres/embedded-postgres.js';
import { EmbeddedPostgresError } from '../src/demo/embedded-postgres/embedded-postgres.errors.js';

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

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await isTrue()); await sleep(25)) {
    if (Date.now() > deadline) throw new Error('waited in vain');
  }
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

  it('starts a server that listens on loopback, asks for a password and syncs to disk', async () => {
    const { url, port, adopted } = await start();
    expect(adopted).toBe(false);
    expect(await ask(url, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(url, 'SHOW unix_socket_directories')).toBe('');
    expect(await ask(url, 'SHOW fsync')).toBe('on');
    expect(await ask(url, 'SELECT rolpassword FROM pg_authid WHERE rolcanlogin')).toMatch(/^SCRAM-SHA-256\$/);
    await expect(ask(`postgres://postgres:guess@127.0.0.1:${port}/postgres`, 'SELECT 1')).rejects.toThrow(
      /password authentication failed/,
    );
  });

  it('keeps the password from other users', async () => {
    await start();
    const home = join(clusterOf(), '..');
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'password')).mode & 0o777).toBe(0o600);
  });

  it.runIf(isRoot)('runs as an unprivileged user when this process is root', async () => {
    await start();
    expect(statSync(`/proc/${serverPid()}`).uid).not.toBe(0);
  });

  it('keeps data and port over a restart, and leaves no process', async () => {
    const first = await start();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS value');
    const pid = serverPid();
    await first.stop();
    expect(identityOf(pid)).toBeNull();
    const second = await start();
    expect(second.port).toBe(first.port);
    expect(await ask(second.url, 'SELECT value FROM kept')).toBe(42);
  });

  it('takes another port where the last one is taken', async () => {
    const first = await start();
    await first.stop();
    const squatter = createServer().listen(first.port, '127.0.0.1');
    await once(squatter, 'listening');
    const second = await start();
    expect(second.port).not.toBe(first.port);
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    squatter.close();
  });

  it('shares the server between control planes and stops it with the last one', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, url: first.url, sharedWith: [process.pid] });
    await first.stop();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    const pid = serverPid();
    await second.stop();
    expect(identityOf(pid)).toBeNull();
  });

  it('lets two starts at the same time create one cluster', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first?.url).toBe(second?.url);
    expect([first?.adopted, second?.adopted].toSorted()).toEqual([false, true]);
  });

  it('uses and does not stop a server that somebody else started on the directory', async () => {
    const first = await start();
    const port = first.port;
    await first.stop();
    const home = prepareHome(dataDir);
    const { postgres } = await findBinaries(home);
    const settings = [
      '-c',
      `port=${port}`,
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
    ];
    const theirs = spawn(postgres, ['-D', clusterOf(), ...settings], {
      stdio: 'ignore',
      cwd: home.path,
      ...home.account,
    });
    await until(() =>
      ask(first.url, 'SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    const second = await start();
    expect(second.adopted).toBe(true);
    await second.stop();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    theirs.kill('SIGINT');
    await once(theirs, 'exit');
  });

  it('starts again, on the same port, a server that was killed with SIGKILL', async () => {
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
    ['nobody has', 4_194_303],
    ['belongs to another program', process.pid],
  ])('is not stopped by a postmaster.pid left behind whose pid %s', async (_case, pid) => {
    const first = await start();
    const lock = readFileSync(join(clusterOf(), 'postmaster.pid'), 'utf8');
    await first.stop();
    writeFileSync(join(clusterOf(), 'postmaster.pid'), lock.replace(/^\d+/, String(pid)));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
  });

  it('is not stopped by a postmaster.pid whose pid is a zombie', async () => {
    const first = await start();
    const lock = readFileSync(join(clusterOf(), 'postmaster.pid'), 'utf8');
    await first.stop();
    // the shell's child ends once the shell has become a sleep, which never reaps it
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = Number(String(line).trim());
    await until(() => identityOf(zombie) === null);
    expect(() => process.kill(zombie, 0)).not.toThrow();
    writeFileSync(join(clusterOf(), 'postmaster.pid'), lock.replace(/^\d+/, String(zombie)));
    const second = await start();
    expect(second.adopted).toBe(false);
    parent.kill('SIGKILL');
  });

  it('begins anew where the first start was interrupted', async () => {
    const home = prepareHome(dataDir);
    const { initdb } = await findBinaries(home);
    const unfinished = join(home.path, 'cluster.unfinished');
    const { status } = spawnSync(initdb, ['-D', unfinished, '--no-sync'], {
      cwd: home.path,
      ...home.account,
    });
    expect(status).toBe(0);
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
});
