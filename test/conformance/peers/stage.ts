import { spawn } from 'node:child_process';
import { onPlatform } from '../test.js';
import { Application } from './application.js';

/** What a program from elsewhere needs to know to call the sandbox. */
export interface Target {
  /** Host name of the sandbox, `3000-cl-….localhost`. */
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

/** Tests with an ordinary app in a sandbox behind the built program. */
export const test = onPlatform.extend(
  'target',
  { scope: 'worker' },
  async ({ platform }, { onCleanup }): Promise<Target> => {
    const application = await Application.start();
    onCleanup(() => application.close());
    const { port } = await platform.program('default');
    const { rows, teams } = platform;
    const { id } = await rows.sandbox(teams.a.id, await rows.host(application.address));
    return { host: `3000-${id}.localhost`, port, key: teams.a.key };
  },
);

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** Runs a program to its end, at most 60 s. */
export function run(program: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString('latin1')));
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString('latin1')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, errors }));
    // A program that does not read its input is judged by what it prints.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
