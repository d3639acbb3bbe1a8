import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isAbsent, PYTHON } from '../installed.js';

/** `python3 -m http.server`: an HTTP/1.0 server that redirects directories without a slash. */
export interface PythonApp {
  readonly port: number;
  close(): Promise<void>;
}

export const HAS_NO_PYTHON = isAbsent('python3', PYTHON, '--version');

/** Serves `files`, names to contents; a name may hold directories. */
export async function startPythonApp(files: Readonly<Record<string, string>>): Promise<PythonApp> {
  const directory = mkdtempSync(join(tmpdir(), 'python-app-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, '..'), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const child = spawn(PYTHON, ['-u', '-m', 'http.server', '0', '--bind', '127.0.0.1'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const port = Number(/ port (\d+)/.exec(line)?.[1]);
  return {
    port,
    async close() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
