import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres } from '../platform/postgres.mjs';
import { CORES, freePort, listening, start } from '../platform/processes.mjs';
import { ask } from '../probe/ask.mjs';
import { idDigits, madeUpKey } from './requests.mjs';

const PROBE = new URL('../probe/probe.mjs', import.meta.url).pathname;

/** PostgreSQL, the built program with a probe in it, and rows of teams and sandboxes. */
export class Stage {
  /** @param {{ program?: string, countTimers?: boolean }} options `program`: main.js of the build */
  static async set({ program = 'dist/src/main.js', countTimers = false } = {}) {
    if (!existsSync(program)) throw new Error(`${program} is not built: npm run build`);
    const directory = mkdtempSync(join(tmpdir(), 'sandbox-hostile-'));
    // PostgreSQL drops root's rights and still has to reach its own directory below.
    chmodSync(directory, 0o711);
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    mkdirSync(join(directory, 'probes'));
    const postgres = await startPostgres(directory);
    const port = await freePort();
    const stderr = join(directory, 'program.stderr');
    const handle = start({
      command: process.execPath,
      args: ['--import', PROBE, resolve(program)],
      cores: CORES.proxy,
      cwd: directory,
      stdout: join(directory, 'program.stdout'),
      stderr,
      env: {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: String(port),
        DATABASE_URL: postgres.url,
        ADMIN_TOKEN: ADMIN_TOKEN,
        SANDBOX_DOMAINS: 'localhost',
        BENCH_PROBE_DIRECTORY: join(directory, 'probes'),
        ...(countTimers ? { BENCH_COUNT_TIMERS: '1' } : {}),
      },
    });
    await listening(handle, port, stderr);
    return new Stage(directory, postgres.client, port, handle);
  }

  constructor(directory, database, port, handle) {
    Object.assign(this, { directory, database, port, handle });
  }

  get isRunning() {
    return this.handle.exit === undefined;
  }

  /** Asks the probe in the program. */
  probe(command) {
    return ask(join(this.directory, 'probes'), this.handle.pid, command);
  }

  /** Open descriptors of the program. */
  get descriptors() {
    return readdirSync(`/proc/${this.handle.pid}/fd`).length;
  }

  /** A new team; `key` is its API key. */
  async team() {
    const [id, slug] = [randomUUID(), randomBytes(6).toString('hex')];
    await this.database.query('INSERT INTO teams (id, name, slug) VALUES ($1, $2, $2)', [id, slug]);
    return { id, key: (await this.key(id)).key };
  }

  async key(teamId) {
    const [id, key] = [randomUUID(), madeUpKey()];
    const hash = createHash('sha256').update(key).digest('hex');
    await this.database.query(
      `INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix) VALUES ($1, $2, 'hostile', $3, $4)`,
      [id, teamId, hash, key.slice(0, 10)],
    );
    return { id, key };
  }

  /** A running sandbox on an agent at that port of 127.0.0.1. */
  async sandbox(teamId, agentPort) {
    const [uuid, hostId] = [randomUUID(), randomUUID()];
    await this.database.query(
      `INSERT INTO hosts (id, type, address, status) VALUES ($1, 'hostile', $2, 'online')`,
      [hostId, `127.0.0.1:${agentPort}`],
    );
    await this.database.query(
      `INSERT INTO sandboxes (id, team_id, host_id, template, status) VALUES ($1, $2, $3, 'hostile', 'running')`,
      [uuid, teamId, hostId],
    );
    const id = `cl-${idDigits(uuid)}`;
    return { uuid, id, host: `3000-${id}.localhost` };
  }
}

export const ADMIN_TOKEN = 'token-of-the-hostile-run';
