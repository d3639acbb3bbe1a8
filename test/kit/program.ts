import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.js';

const MAIN = join(process.cwd(), 'dist/src/main.js');
/** The last words of a start that succeeded. */
const STARTED = /Sandbox control plane on (http:\S+)[^]*\n\n$|Sandbox control plane on (http:\S+)\n$/;
const START_WITHIN_MS = 60_000;

export interface ProgramOptions {
  /** Another build of it. */
  readonly main?: string;
  /** A descriptor for its stdout, which then does not come to `stdout`. */
  readonly stdout?: number;
  /** A command that runs the program as its last arguments say, e.g. `['nice']`. */
  readonly through?: readonly string[];
}

/** The built program in a process of its own, with nothing of our environment but PATH. */
export class Program {
  stdout = '';
  stderr = '';
  /** Where it listens, once `url` has been heard. */
  port = 0;
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | NodeJS.Signals>;

  /**
   * @param directory where it works; `data` in it is its DATA_DIR unless `env` says otherwise
   */
  constructor(directory: string, env: Readonly<Record<string, string>>, options: ProgramOptions = {}) {
    const { main = MAIN, stdout = 'pipe' as const, through = [] } = options;
    if (!existsSync(main)) throw new Error('the program is not built: npm run build');
    const environment = { PATH: process.env['PATH'] ?? '', ...env };
    const [command = '', ...words] = [...through, process.execPath, main];
    this.child = spawn(command, words, {
      cwd: directory,
      env: environment,
      stdio: ['ignore', stdout, 'pipe'],
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += String(chunk)));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += String(chunk)));
    this.ended = once(this.child, 'close').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
    );
  }

  /** Waits until it has said where it listens; `http://127.0.0.1:{port}`. */
  async url(): Promise<string> {
    await until(
      () => STARTED.test(this.banner) || !this.isRunning,
      () => this.output,
      START_WITHIN_MS,
    );
    const said = STARTED.exec(this.banner);
    if (said === null) throw new Error(`the program did not start:\n${this.output}`);
    const url = said[1] ?? said[2] ?? '';
    this.port = Number(new URL(url).port);
    return url;
  }

  /** What it printed for people: stdout without the log's lines. */
  get banner(): string {
    return this.stdout.replaceAll(/^\{.*\n/gm, '');
  }

  get output(): string {
    return this.stdout + this.stderr;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Open file descriptors of the process (Linux). */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Resident memory in bytes. */
  get residentBytes(): number {
    const file = `/proc/${this.pid}/status`;
    const kilobytes = existsSync(file)
      ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]
      : String(spawnSync('ps', ['-o', 'rss=', '-p', String(this.pid)]).stdout);
    return Number(kilobytes) * 1_024;
  }

  /** Its exit code, or the signal that ended it. */
  exited(): Promise<number | NodeJS.Signals> {
    return this.ended;
  }

  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.ended;
  }

  /** No more of its stdout is read, until `isRead` is true again. */
  readStdout(isRead: boolean): void {
    if (isRead) this.child.stdout?.resume();
    else this.child.stdout?.pause();
  }

  /** The other end of its stdout is gone for good. */
  closeStdout(): void {
    this.child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** A fresh directory to start in, which the unprivileged user of the embedded PostgreSQL can enter. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'control-plane-'));
  chmodSync(directory, 0o711);
  return directory;
}

/** Removes the directory, and the cluster too where `data/postgresql` is a link to another place. */
export function removeDirectory(directory: string): void {
  const home = join(directory, 'data/postgresql');
  if (existsSync(home)) rmSync(realpathSync(home), { recursive: true });
  rmSync(directory, { recursive: true });
}

/** The pid in `postmaster.pid` of the embedded cluster below `directory/data`, or null where there is none. */
export function postmasterPid(directory: string): number | null {
  const path = join(directory, 'data/postgresql/cluster/postmaster.pid');
  return existsSync(path) ? Number(readFileSync(path, 'utf8').split('\n')[0]) : null;
}
