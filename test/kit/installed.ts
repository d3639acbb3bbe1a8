import { spawnSync } from 'node:child_process';

/**
 * Whether tests of a program are to be skipped, because the command that shows that it is here fails. That is said. Never in
 * CI, where nobody reads it: there the tests fail.
 */
export function isAbsent(debianPackage: string, command: string, ...args: readonly string[]): boolean {
  if (process.env['CI'] !== undefined || spawnSync(command, args).status === 0) return false;
  console.warn(`skipped, because "${[command, ...args].join(' ')}" fails: apt-get install ${debianPackage}`);
  return true;
}

/** Debian's; `PYTHON` names another. */
export const PYTHON = process.env['PYTHON'] ?? '/usr/bin/python3';
