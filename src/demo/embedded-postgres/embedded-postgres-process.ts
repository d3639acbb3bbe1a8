import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** The environment of every program that is run here: nothing else of ours, which may hold secrets. */
export const ENVIRONMENT = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };

/**
 * Identifies one run of a process: `{pid} {when it began, as the system writes it}`. A pid alone may later be another
 * program's. Null if there is no such process, or only a zombie.
 */
export function identityOf(pid: number): string | null {
  try {
    const [state = 'Z', startedAt] = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
    return /^[ZX]/.test(state) ? null : `${pid} ${startedAt}`;
  } catch {
    return null;
  }
}

/** True while this run of the process goes on. */
export function isRunning(identity: string): boolean {
  return identityOf(pidOf(identity)) === identity;
}

export function pidOf(identity: string): number {
  return Number.parseInt(identity, 10);
}

/** True if the process is a PostgreSQL server that works on this directory. */
export function isServerOf(directory: string, pid: number): boolean {
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === directory;
    return ps(pid, 'command').includes(directory);
  } catch {
    return false;
  }
}

/** proc(5): `pid (command) state …`, with the start time as field 22. The command may contain spaces and brackets. */
function fromProc(pid: number): (string | undefined)[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [fields[0], fields[19]];
}

function fromPs(pid: number): string[] {
  return [ps(pid, 'state'), ps(pid, 'lstart')];
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
    encoding: 'utf8',
    env: ENVIRONMENT,
    stdio: 'pipe',
  }).trim();
}
