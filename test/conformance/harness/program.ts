import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { check, until } from './check.js';
import { Client } from './client.js';
import { freePort } from './postgres.js';

export const ADMIN_TOKEN = 'conformance-admin-token-0123456789abcdef';

/** The built program as a process of its own, with what it printed. */
export class Program {
  output = '';
  exit: string | null = null;
  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
  ) {
    const keep = (piece: Buffer): void => {
      this.output += piece.toString('latin1');
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('exit', (code, signal) => {
      this.exit = `code ${code}, signal ${signal}`;
    });
  }

  /** Starts `main` and waits until `/readyz` answers 200. */
  static async start(main: string, databaseUrl: string, settings: Record<string, string>): Promise<Program> {
    const port = await freePort();
    const environment: Record<string, string | undefined> = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      MIGRATIONS: 'auto',
      ADMIN_TOKEN,
      ...settings,
    };
    const child = spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const program = new Program(child, port);
    const deadline = performance.now() + 30_000;
    for (;;) {
      check(
        program.exit === null,
        `the program ended at start (${program.exit}): ${program.output.slice(-2_000)}`,
      );
      check(
        performance.now() < deadline,
        `the program is not ready after 30 s: ${program.output.slice(-2_000)}`,
      );
      if ((await program.get('/readyz').catch(() => 0)) === 200) return program;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Status of a GET on the API. */
  async get(path: string): Promise<number> {
    const client = await Client.open(this.port);
    try {
      client.send(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\nConnection: close\r\n\r\n`);
      return (await client.answer('GET', 3_000)).status;
    } finally {
      client.destroy();
    }
  }

  /** Open file descriptors of the process (Linux). */
  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  /** Resident memory in bytes (Linux). */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
  }

  async stop(): Promise<void> {
    if (this.exit !== null) return;
    this.child.kill('SIGTERM');
    await until(() => this.exit !== null, 'the program ends after SIGTERM', 3_000).catch(() => {
      this.child.kill('SIGKILL');
    });
  }
}
