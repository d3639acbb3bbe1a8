import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

/** One run of one process: a pid alone may be given to another program once this one has ended. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own notation; only good for comparing. */
  readonly startedAt: string;
  /** The program's name, e.g. `postgres`. */
  readonly command: string;
}

/** The process that has this pid now; null when there is none, or only a zombie waiting to be reaped. */
export function identityOf(pid: number): ProcessIdentity | null {
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

/** True while exactly this run of the process goes on. */
export function isRunning({ pid, startedAt }: Pick<ProcessIdentity, 'pid' | 'startedAt'>): boolean {
  return identityOf(pid)?.startedAt === startedAt;
}

/** Where a process works, or undefined where the system does not tell. */
export function workingDirectoryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

/** `pid (command) state … starttime …`: proc(5), fields 1, 2, 3 and 22. The command may hold spaces and brackets. */
function fromProc(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  const command = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const [state = 'X', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  return { pid, startedAt: rest[18] ?? '', command };
}

function fromPs(pid: number): ProcessIdentity | null {
  try {
    const columns = ['-o', 'state=', '-o', 'lstart=', '-o', 'comm=', '-p', String(pid)];
    const line = execFileSync('ps', columns, { encoding: 'utf8', stdio: 'pipe' }).trim();
    const [state = 'Z', ...rest] = line.split(/\s+/);
    if (state.startsWith('Z')) return null;
    const command = rest.slice(5).join(' ');
    return {
      pid,
      startedAt: rest.slice(0, 5).join(' '),
      command: command.slice(command.lastIndexOf('/') + 1),
    };
  } catch {
    return null;
  }
}
