import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
/** The last words of a start that succeeded. */
const STARTED = /Sandbox control plane on (http:\S+)[^]*\n\n$|Sandbox control plane on (http:\S+)\n$/;
const START_WITHIN_MS = 25_000;

export interface ProgramOptions {
  /** A descriptor for its stdout, which then does not come to `stdout`. */
  readonly stdout?: number;
  /** A command that runs the program as its last arguments say, e.g. `['nice']`. */
  readonly through?: readonly string[];
}

/** The built program in a process of its own, with nothing of our environment but PATH. */
export class Program {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;

  /** @param directory where it works; `data` in it is its DATA_DIR unless `env` says otherwise */
  constructor(directory: string, env: Readonly<Record<string, string>>, options: ProgramOptions = {}) {
    if (!existsSync(MAIN)) throw new Error('the program is not built: npm run build');
    const environment = { PATH: process.env['PATH'] ?? '', ...env };
    const [command = '', ...words] = [...(options.through ?? []), process.execPath, MAIN];
    this.#child = spawn(command, words, {
      cwd: directory,
      env: environment,
      stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.stdout += String(chunk)));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.stderr += String(chunk)));
    this.#exited = once(this.#child, 'close').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
    );
  }

  /** Waits until it has said where it listens; `http://127.0.0.1:{port}`. */
  async url(): Promise<string> {
    for (const deadline = Date.now() + START_WITHIN_MS; Date.now() < deadline; await sleep(20)) {
      const said = STARTED.exec(this.banner);
      if (said !== null) return said[1] ?? said[2] ?? '';
      if (this.#child.exitCode !== null) break;
    }
    throw new Error(`the program did not start:\n${this.stdout}\n${this.stderr}`);
  }

  /** What it printed for people: stdout without the log's lines. */
  get banner(): string {
    return this.stdout.replaceAll(/^\{.*\n/gm, '');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its exit code, or the signal that ended it. */
  exited(): Promise<number | NodeJS.Signals> {
    return this.#exited;
  }

  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal);
    return this.#exited;
  }

  /** No more of its stdout is read, until `isRead` is true again. */
  readStdout(isRead: boolean): void {
    if (isRead) this.#child.stdout?.resume();
    else this.#child.stdout?.pause();
  }

  /** The other end of its stdout is gone for good. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
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
