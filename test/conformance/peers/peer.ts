import { spawn } from 'node:child_process';

/** What a peer needs to know to call the sandbox. */
export interface Target {
  /** Host name of the sandbox, `3000-cl-….localhost`. */
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

/** One program from elsewhere and what it does through the proxy. */
export interface Peer {
  readonly name: string;
  /** Null where it is there, else what is missing. */
  readonly absent: () => Promise<string | null>;
  /** Each check's name and what went wrong, or null. */
  readonly checks: (target: Target) => Promise<readonly (readonly [name: string, wrong: string | null])[]>;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Runs a program to its end, at most 30 s; code 127 where it is not there. */
export function run(program: string, args: readonly string[], input?: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 30_000 });
    let [out, errors] = ['', ''];
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString('latin1')));
    child.stderr.on('data', (piece: Buffer) => (errors += piece.toString('latin1')));
    child.on('error', () => resolve({ code: 127, out, errors: 'not found' }));
    child.on('close', (code) => resolve({ code: code ?? -1, out, errors }));
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
  });
}

/** For `absent`: asks the program for its version. */
export async function missing(program: string, ...args: string[]): Promise<string | null> {
  return (await run(program, args)).code === 127 ? `${program} is not installed` : null;
}

/** Null where `condition` holds, else what was seen. */
export function expect(condition: boolean, seen: string): string | null {
  return condition ? null : seen.slice(0, 300);
}
