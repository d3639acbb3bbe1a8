import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from './embedded-postgres-cluster.js';
import { prepareHome } from './embedded-postgres-home.js';
import { claim } from './embedded-postgres-owner.js';
import { isRunning } from './embedded-postgres-process.js';
import { codeOf } from './embedded-postgres.errors.js';

/** How often to check whether the server has ended by itself. */
const WATCH_EVERY_MS = 500;

/**
 * A real PostgreSQL in a data directory, for this process alone: a second start on the directory is refused. If a
 * killed process left a server behind, the next start ends it.
 *
 * Layout of `{dataDir}/postgresql`: `cluster/` (PGDATA), `socket/`, `owners`, `server.log`. See
 * docs/decisions/0003-embedded-postgresql.md.
 */
export class EmbeddedPostgres {
  /** For pg, TypeORM and psql; without a password: `postgres://postgres@%2F…%2Fsocket:5432/control_plane`. */
  readonly url: string;
  private readonly stopping = new AbortController();
  private readonly watch: Promise<void>;

  private constructor(
    private readonly cluster: Cluster,
    private server: string,
    private readonly giveUp: () => void,
    warn: (message: string) => void,
  ) {
    this.url = cluster.urlOf();
    this.watch = this.keepRunning(warn);
  }

  /**
   * @param dataDir created where it does not exist
   * @param warn called when the server has ended by itself, and when it could not be started again
   * @throws EmbeddedPostgresError with one line for the user
   */
  static async start(dataDir: string, warn: (message: string) => void = () => {}): Promise<EmbeddedPostgres> {
    const home = prepareHome(dataDir);
    const giveUp = claim(home.path, resolve(dataDir));
    try {
      const cluster = await Cluster.open(home);
      return new EmbeddedPostgres(cluster, await cluster.start(), giveUp, warn);
    } catch (error) {
      giveUp();
      throw error;
    }
  }

  /** Ends the server. Close connections first. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.watch;
    await this.cluster.stop(this.server);
    this.giveUp();
  }

  /** Starts the server again when it ends by itself, so that connections come back without a restart of this process. */
  private async keepRunning(warn: (message: string) => void): Promise<void> {
    const { signal } = this.stopping;
    for (let isReported = false; ;) {
      await sleep(WATCH_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      if (isRunning(this.server)) continue;
      if (!isReported) warn('the embedded PostgreSQL ended unexpectedly; starting it again');
      try {
        this.server = await this.cluster.start();
        isReported = false;
      } catch (error) {
        if (!isReported) warn(`the embedded PostgreSQL could not be started again: ${codeOf(error)}`);
        isReported = true;
      }
    }
  }
}
