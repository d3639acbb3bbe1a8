import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBinaries } from './embedded-postgres-binaries.js';
import { Cluster, type RunningServer } from './embedded-postgres-cluster.js';
import { prepareHome } from './embedded-postgres-home.js';
import { isRunning } from './embedded-postgres-process.js';
import { ClusterUsage } from './embedded-postgres-usage.js';
import { EmbeddedPostgresError, reasonOf } from './embedded-postgres.errors.js';

/** How often a server that ended by itself is noticed. */
const WATCH_EVERY_MS = 500;

/**
 * A real PostgreSQL in a data directory, for this process: `start` finds or starts it, `stop` leaves it.
 *
 * Whose server it is. A server outlives a killed control plane: it is a process of its own, so that
 * nothing acknowledged is lost, and the next start finds it and takes it over. Several control planes
 * may use one data directory; the last one to leave stops the server. A server that no control plane
 * started (somebody's `pg_ctl` on that directory) is used and never stopped.
 *
 * Layout of `{dataDir}/postgresql`: `cluster/` (PGDATA), `password` (0600), `port`, `server.log`, and
 * the files of `ClusterUsage`. See docs/decisions/0003-embedded-postgresql.md.
 */
export class EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  /** True when the server was running before `start`. */
  readonly adopted: boolean;
  /** Pids of the control planes that used the data directory when this one came. */
  readonly sharedWith: readonly number[];
  readonly #cluster: Cluster;
  readonly #usage: ClusterUsage;
  #server: RunningServer;
  #watch: NodeJS.Timeout | undefined;
  #restarting: Promise<void> | undefined;

  private constructor(cluster: Cluster, usage: ClusterUsage, server: RunningServer, adopted: boolean) {
    this.#cluster = cluster;
    this.#usage = usage;
    this.#server = server;
    this.adopted = adopted;
    this.port = server.port;
    this.url = cluster.url(server.port);
    this.sharedWith = usage.others().map(({ pid }) => pid);
  }

  /**
   * @param dataDir created where it does not exist
   * @param warn told when the server ended by itself and what became of it
   * @throws EmbeddedPostgresError with one line for the user
   */
  static async start(dataDir: string, warn: (message: string) => void = () => {}): Promise<EmbeddedPostgres> {
    const home = prepareHome(dataDir);
    const usage = new ClusterUsage(home.path);
    return usage.exclusively(async () => {
      const binaries = () => findBinaries(home);
      const cluster = await Cluster.open(home, binaries);
      const running = await cluster.findRunning();
      const server = running ?? (await cluster.start(await binaries(), readPort(home.path)));
      usage.join();
      writeFileSync(join(home.path, 'port'), String(server.port));
      await cluster.createDatabase(server.port);
      const embedded = new EmbeddedPostgres(cluster, usage, server, running !== null);
      embedded.#keepRunning(async () => cluster.start(await binaries(), server.port), warn);
      return embedded;
    });
  }

  /** Ends the server unless another control plane still uses it or none started it. Close connections first. */
  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await this.#restarting;
    await this.#usage.exclusively(async () => {
      this.#usage.leave();
      const isLast = this.#usage.others().length === 0;
      if (isLast && this.#server.isOurs) await this.#cluster.stop(this.#server.process);
    });
  }

  /** Starts the server again when it ends by itself, so that connections come back without a restart of this process. */
  #keepRunning(start: () => Promise<RunningServer>, warn: (message: string) => void): void {
    if (!this.#server.isOurs) return;
    this.#watch = setInterval(() => {
      if (isRunning(this.#server.process) || this.#restarting !== undefined) return;
      warn('the embedded PostgreSQL ended unexpectedly; starting it again');
      this.#restarting = this.#usage
        .exclusively(() => this.#restart(start))
        .catch((error: unknown) =>
          warn(`the embedded PostgreSQL could not be started again: ${reasonOf(error)}`),
        )
        .finally(() => (this.#restarting = undefined));
    }, WATCH_EVERY_MS);
    this.#watch.unref();
  }

  /** On the same port: every connection pool was given that one. */
  async #restart(start: () => Promise<RunningServer>): Promise<void> {
    const server = (await this.#cluster.findRunning()) ?? (await start());
    if (server.port !== this.port) {
      await this.#cluster.stop(server.process);
      throw new EmbeddedPostgresError(`port ${this.port} is taken`);
    }
    this.#server = server;
  }
}

/** The port of the last start, kept where it is still free: other programs may have been pointed at it. */
function readPort(home: string): number | undefined {
  const path = join(home, 'port');
  if (!existsSync(path)) return undefined;
  const port = Number(readFileSync(path, 'utf8'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
