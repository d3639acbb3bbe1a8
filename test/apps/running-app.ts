import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { until, within } from '../kit/wait.js';
import type { Recipe } from './recipe.js';

const READY_WITHIN_MS = 180_000;
const STOPS_WITHIN_MS = 10_000;

/** No application opens a browser of its own, or tells its makers anything. */
const QUIET = {
  BROWSER: 'true',
  ASTRO_TELEMETRY_DISABLED: '1',
  GRADIO_ANALYTICS_ENABLED: 'False',
  NEXT_TELEMETRY_DISABLED: '1',
  NG_CLI_ANALYTICS: 'false',
  NUXT_TELEMETRY_DISABLED: '1',
  STORYBOOK_DISABLE_TELEMETRY: '1',
};

/** An application in processes of its own, started by the command that people type. */
export class RunningApp {
  /** What it has printed. */
  output = '';
  private constructor(
    readonly directory: string,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {
    child.stdout?.on('data', (chunk: Buffer) => (this.output += String(chunk)));
    child.stderr?.on('data', (chunk: Buffer) => (this.output += String(chunk)));
  }

  /** Writes the files, and starts it; resolves when all its ports answer. */
  static async start(recipe: Recipe, directory: string): Promise<RunningApp> {
    for (const port of recipe.ports)
      if (await listens(port)) throw new Error(`port ${port} is not free: something else listens there`);
    for (const [path, text] of Object.entries(recipe.files ?? {})) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    if (recipe.prepare !== undefined) await finished(shell(recipe.prepare, directory));
    const app = new RunningApp(directory, recipe.ports[0], shell(recipe.start, directory));
    try {
      await app.ready(recipe.ports);
    } catch (error) {
      await app.stop();
      throw error;
    }
    return app;
  }

  /** Changes a file of it, as an editor does. */
  edit(path: string, from: string | RegExp, to: string): void {
    const before = this.read(path);
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${path} does not have ${from}`);
    writeFileSync(join(this.directory, path), after);
  }

  /** A file of it. */
  read(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8');
  }

  /** The first group of a pattern in what it printed, once it is there. */
  async printed(pattern: RegExp): Promise<string> {
    await until(
      () => pattern.test(this.output),
      () => `${pattern} in:\n${this.output}`,
    );
    return pattern.exec(this.output)?.[1] ?? '';
  }

  /** Ends it with all the processes that it has started. */
  async stop(): Promise<void> {
    const ended = this.isRunning ? once(this.child, 'exit') : Promise.resolve();
    this.signal('SIGTERM');
    await within(ended as Promise<unknown>, STOPS_WITHIN_MS, 'the end').catch(() => this.signal('SIGKILL'));
    await ended;
    // What it left running, of its own process group.
    this.signal('SIGKILL');
    await until(async () => !(await listens(this.port)), `port ${this.port} is free again`);
  }

  private async ready(ports: readonly number[]): Promise<void> {
    await until(
      async () => !this.isRunning || (await Promise.all(ports.map(answers))).every(Boolean),
      () => `it answers; it printed:\n${this.output}`,
      READY_WITHIN_MS,
    );
    if (!this.isRunning) throw new Error(`it ended at once:\n${this.output}`);
  }

  private get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  private signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-(this.child.pid as number), signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** In a process group of its own, with the programs of its own packages first and no more of our environment than needed. */
function shell(command: string, directory: string): ChildProcess {
  const path = [join(directory, 'venv/bin'), join(directory, 'node_modules/.bin'), process.env['PATH']];
  return spawn('sh', ['-c', command], {
    cwd: directory,
    detached: true,
    env: { ...QUIET, HOME: directory, LANG: 'C.UTF-8', PATH: path.join(delimiter) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function finished(child: ChildProcess): Promise<void> {
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`preparing it ended with ${code}:\n${output}`);
}

/** Whether something speaks HTTP there: some listen for a moment, to see whether the port is free. */
async function answers(port: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(READY_WITHIN_MS);
    const answer = await fetch(`http://localhost:${port}/`, { redirect: 'manual', signal });
    await answer.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Whether something accepts connections there, on either loopback address. */
async function listens(port: number): Promise<boolean> {
  const answers = await Promise.all(['127.0.0.1', '::1'].map((host) => accepts(host, port)));
  return answers.some(Boolean);
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
