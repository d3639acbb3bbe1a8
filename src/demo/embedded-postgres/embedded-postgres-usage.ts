import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { identityOf, isRunning, type ProcessIdentity } from './embedded-postgres-process.js';

/**
 * Which control planes use the cluster in one home directory: several may share it, and the last one
 * to leave stops the server. All of it is files, each naming a process by pid and start time, so that
 * what a killed process left behind is recognised.
 *
 *     users/{pid}-{random}.json   one for each control plane that uses the server
 *     lock                        whoever starts or stops the server just now
 */
export class ClusterUsage {
  readonly #users: string;
  readonly #lock: string;
  readonly #self: ProcessIdentity;
  /** Apart from the pid: one process may hold the cluster more than once. */
  readonly #name = `${process.pid}-${Math.random().toString(36).slice(2, 10)}`;

  constructor(home: string) {
    const self = identityOf(process.pid);
    if (self === null)
      throw new EmbeddedPostgresError('this process cannot be found by /proc or ps: set DATABASE_URL');
    this.#self = self;
    this.#users = join(home, 'users');
    this.#lock = join(home, 'lock');
    mkdirSync(this.#users, { recursive: true, mode: 0o700 });
  }

  /** Puts this process on the list. */
  join(): void {
    writeFileSync(join(this.#users, `${this.#name}.json`), JSON.stringify(this.#self));
  }

  leave(): void {
    rmSync(join(this.#users, `${this.#name}.json`), { force: true });
  }

  /** The living control planes on the list, this one excepted; forgets those that were killed. */
  others(): ProcessIdentity[] {
    const others: ProcessIdentity[] = [];
    for (const name of readdirSync(this.#users)) {
      if (name === `${this.#name}.json`) continue;
      const user = readIdentity(join(this.#users, name));
      if (user !== null && isRunning(user)) others.push(user);
      else rmSync(join(this.#users, name), { force: true });
    }
    return others;
  }

  /**
   * Runs `work` while no other control plane starts or stops the server.
   *
   * @throws EmbeddedPostgresError when another one holds the lock for longer than `patienceMs`.
   */
  async exclusively<T>(work: () => Promise<T>, patienceMs = 60_000): Promise<T> {
    const claim = `${this.#lock}.${this.#name}`;
    writeFileSync(claim, JSON.stringify(this.#self));
    try {
      const deadline = Date.now() + patienceMs;
      while (!this.#tryLock(claim)) {
        if (Date.now() > deadline) {
          throw new EmbeddedPostgresError(`${this.#lock} is held by another process: end it and try again`);
        }
        await sleep(50);
      }
      try {
        return await work();
      } finally {
        rmSync(this.#lock, { force: true });
      }
    } finally {
      rmSync(claim, { force: true });
    }
  }

  /** `link` either creates the lock with its content at once or fails: there is no half-written lock. */
  #tryLock(claim: string): boolean {
    try {
      linkSync(claim, this.#lock);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readIdentity(this.#lock);
    if (holder !== null && !isRunning(holder)) this.#removeAbandonedLock(`${claim}.abandoned`);
    return false;
  }

  /** Moves the lock away and looks again: between reading and moving, somebody living may have taken it. */
  #removeAbandonedLock(aside: string): void {
    try {
      renameSync(this.#lock, aside);
      const holder = readIdentity(aside);
      if (holder !== null && isRunning(holder)) linkSync(aside, this.#lock);
    } catch {
      // another process was faster; the next attempt sees what it left
    } finally {
      rmSync(aside, { force: true });
    }
  }
}

function readIdentity(path: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}
