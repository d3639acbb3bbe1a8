import { createHash, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { DatabaseRelay, Postgres } from './postgres.js';
import { Program } from './program.js';

/** Settings of one running program; cases that need other settings than the default name a variant. */
export type VariantName = 'default' | 'clocks' | 'domains' | 'trusted' | 'relay' | 'bounded' | 'linklocal';

/** Environment of each variant beside what all have. */
export const VARIANTS: Record<VariantName, Record<string, string>> = {
  default: {},
  clocks: { UPSTREAM_CONNECT_TIMEOUT_MS: '400', UPSTREAM_FIRST_BYTE_TIMEOUT_MS: '600' },
  domains: { SANDBOX_DOMAINS: 'sandbox.test,Example.COM' },
  trusted: { TRUSTED_PROXIES: '127.0.0.1' },
  relay: { ROUTE_CACHE_TTL_MS: '1000', API_KEY_CACHE_TTL_MS: '1000' },
  bounded: {
    UPSTREAM_MAX_CONNECTIONS_PER_SANDBOX: '6',
    UPSTREAM_MAX_IDLE_PER_SANDBOX: '2',
    UPSTREAM_IDLE_TIMEOUT_MS: '1000',
  },
  linklocal: { AGENT_ALLOWED_ADDRESSES: '169.254.0.0/16', UPSTREAM_CONNECT_TIMEOUT_MS: '400' },
};

/** A customer of the platform with a key. */
export interface Team {
  readonly uuid: string;
  readonly key: string;
}

/** `cl-` and the UUID as 25 base-36 digits: written again here, so that the program's own code is not trusted. */
export function sandboxId(uuid: string): string {
  return `cl-${BigInt(`0x${uuid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0')}`;
}

/** A database, the programs that run on it, and two teams. */
export class Platform {
  readonly teams = { a: newTeam(), b: newTeam() };
  private readonly programs = new Map<VariantName, Promise<Program>>();
  relay: DatabaseRelay | null = null;

  private constructor(
    private readonly postgres: Postgres,
    private readonly pool: pg.Pool,
    private readonly main: string,
  ) {}

  static async start(repository: string, main: string): Promise<Platform> {
    const postgres = await Postgres.start(repository);
    try {
      await postgres.createDatabase('conformance');
      const pool = new pg.Pool({ connectionString: postgres.url('conformance'), max: 8 });
      pool.on('error', () => {});
      const platform = new Platform(postgres, pool, main);
      await platform.program('default');
      for (const team of Object.values(platform.teams)) await platform.addTeam(team);
      return platform;
    } catch (error) {
      postgres.stop();
      throw error;
    }
  }

  /** The program that runs with the settings of `variant`, started when first asked for. */
  program(variant: VariantName): Promise<Program> {
    let program = this.programs.get(variant);
    if (!program) {
      program = this.launch(variant);
      this.programs.set(variant, program);
    }
    return program;
  }

  /** Programs started so far, for the checks at the end. */
  async running(): Promise<[VariantName, Program][]> {
    return Promise.all(
      [...this.programs].map(async ([name, program]) => [name, await program] as [VariantName, Program]),
    );
  }

  async addTeam(team: Team): Promise<void> {
    await this.pool.query('INSERT INTO teams (id, name, slug, created_at) VALUES ($1, $2, $3, now())', [
      team.uuid,
      'conformance',
      `t-${team.uuid}`,
    ]);
    const hash = createHash('sha256').update(team.key).digest('hex');
    await this.pool.query(
      'INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix, created_at) VALUES ($1, $2, $3, $4, $5, now())',
      [randomUUID(), team.uuid, 'conformance', hash, team.key.slice(0, 10)],
    );
  }

  /** A sandbox row and the row of the host it is on; returns the sandbox's UUID. */
  async addSandbox(team: Team, address: string, status: string): Promise<{ uuid: string; hostUuid: string }> {
    const [uuid, hostUuid] = [randomUUID(), randomUUID()];
    await this.pool.query(
      `WITH h AS (INSERT INTO hosts (id, type, address, status, metadata, created_at, updated_at)
                  VALUES ($2, 'regular', $4, 'online', '{}', now(), now()))
       INSERT INTO sandboxes (id, team_id, host_id, template, status, metadata, created_at, last_updated)
       VALUES ($1, $3, $2, 'base', $5, '{}', now(), now())`,
      [uuid, hostUuid, team.uuid, address, status],
    );
    return { uuid, hostUuid };
  }

  async query(text: string, values: unknown[]): Promise<void> {
    await this.pool.query(text, values);
  }

  /** A change that no trigger reports: as if the change feed had lost it. */
  async querySilently(text: string, values: unknown[]): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query("BEGIN; SET LOCAL session_replication_role = 'replica'");
      await client.query(text, values);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }

  async stop(): Promise<void> {
    for (const program of this.programs.values()) await program.then((p) => p.stop()).catch(() => {});
    this.relay?.close();
    await this.pool.end().catch(() => {});
    this.postgres.stop();
  }

  private async launch(variant: VariantName): Promise<Program> {
    let port = this.postgres.port;
    if (variant === 'relay') {
      this.relay = await DatabaseRelay.start(this.postgres.port);
      port = this.relay.port;
    }
    return Program.start(this.main, this.postgres.url('conformance', port), VARIANTS[variant]);
  }
}

export function newTeam(): Team {
  return { uuid: randomUUID(), key: `wrn_${randomBytes(16).toString('hex')}` };
}
