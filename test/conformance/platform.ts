import pg from 'pg';
import { PlatformRows, type TeamRow } from '../kit/platform-rows.js';
import { newDirectory, Program, removeDirectory } from '../kit/program.js';
import { startTcpRelay, type TcpRelay } from '../kit/tcp-relay.js';

/** Environment of each program that the cases use, beside what all have. */
export const SETTINGS = {
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
} satisfies Record<string, Record<string, string>>;

export type SettingsName = keyof typeof SETTINGS;

/** A database, the built programs that run on it (`PROGRAM` names another build), and two teams. */
export class Platform {
  readonly rows: PlatformRows;
  teams!: { readonly a: TeamRow; readonly b: TeamRow };
  /** In front of the database of the program `relay`. */
  relay: TcpRelay | null = null;
  private readonly pool: pg.Pool;
  private readonly directory = newDirectory();
  private readonly programs = new Map<SettingsName, Promise<Program>>();

  private constructor(private readonly databaseUrl: string) {
    this.pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
    this.pool.on('error', () => {});
    this.rows = new PlatformRows({
      query: async (sql, values) => (await this.pool.query(sql, [...(values ?? [])])).rows,
    });
  }

  /** On an empty database, which the first program fills with tables. */
  static async start(databaseUrl: string): Promise<Platform> {
    const platform = new Platform(databaseUrl);
    await platform.program('default');
    platform.teams = { a: await platform.rows.team(), b: await platform.rows.team() };
    return platform;
  }

  /** The program that runs with these settings, started when first asked for. */
  program(name: SettingsName): Promise<Program> {
    const known = this.programs.get(name) ?? this.launch(name);
    this.programs.set(name, known);
    return known;
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
    for (const program of await Promise.allSettled(this.programs.values()))
      if (program.status === 'fulfilled') await program.value.end('SIGKILL');
    await this.relay?.close();
    await this.pool.end();
    removeDirectory(this.directory);
  }

  private async launch(name: SettingsName): Promise<Program> {
    let url = this.databaseUrl;
    if (name === 'relay') {
      this.relay = await startTcpRelay(url);
      ({ url } = this.relay);
    }
    const built = process.env['PROGRAM'];
    const program = new Program(
      this.directory,
      {
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: '0',
        DATABASE_URL: url,
        ADMIN_TOKEN,
        ...SETTINGS[name],
      },
      built === undefined ? {} : { main: built },
    );
    await program.url();
    return program;
  }
}

const ADMIN_TOKEN = 'conformance-admin-token-0123456789abcdef';
