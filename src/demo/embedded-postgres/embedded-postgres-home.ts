import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError, reasonOf } from './embedded-postgres.errors.js';

/** Whom PostgreSQL runs as when this process is root, which PostgreSQL refuses to be. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The directory that holds the cluster and what belongs to it, and whose it is. */
export interface Home {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Null where PostgreSQL runs as this process's own user. */
  readonly account: Account | null;
}

/** Where clusters go that cannot live in their data directory because `nobody` cannot enter it. */
const SYSTEM_STATE = '/var/lib/sandbox-control-plane';

/**
 * Creates or finds `{dataDir}/postgresql` and makes it enterable for the user that PostgreSQL runs as.
 * Root's `DATA_DIR` below a private directory (`/root/app/data`) is beyond `nobody`'s reach: there
 * `postgresql` is a link to a directory of its own below `/var/lib/sandbox-control-plane`.
 *
 * @throws EmbeddedPostgresError when the directory cannot be written, or belongs to another user.
 */
export function prepareHome(dataDir: string): Home {
  const isRoot = process.getuid?.() === 0;
  const directory = resolve(dataDir);
  try {
    mkdirSync(directory, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    if (!isRoot) return { path: ownHome(directory), account: null };
    return homeOfAccount(directory);
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(
      `DATA_DIR ${directory} cannot be written (${reasonOf(error)}): make it writable for this user, or set DATA_DIR to a directory that is`,
      { cause: error },
    );
  }
}

/** Like `prepareHome` for the case that this process is not root. */
function ownHome(directory: string): string {
  try {
    userInfo();
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL needs a user with an entry in /etc/passwd, which uid ${process.getuid?.()} is not: set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
  const home = join(directory, 'postgresql');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  if (statSync(home).uid !== process.getuid?.()) {
    throw new EmbeddedPostgresError(
      `the database in DATA_DIR ${directory} belongs to uid ${statSync(home).uid}: start as that user or as root, or set DATA_DIR to another directory`,
    );
  }
  return realpathSync(home);
}

function homeOfAccount(directory: string): Home {
  const link = join(directory, 'postgresql');
  if (!isEntry(link)) {
    const account = nobody();
    // a directory made for us alone: its files are closed one by one
    chmodSync(directory, statSync(directory).mode | 0o001);
    if (canEnter(realpathSync(directory), account)) mkdirSync(link, { mode: 0o700 });
    else symlinkSync(createSystemHome(), link);
    chownSync(link, account.uid, account.gid);
  }
  const path = realpathSync(link);
  const { uid, gid } = statSync(path);
  const account = uid === 0 ? nobody() : { uid, gid };
  if (uid === 0) chownSync(path, account.uid, account.gid);
  if (!canEnter(path, account)) {
    throw new EmbeddedPostgresError(
      `the database's directory ${path} cannot be entered by uid ${account.uid}, which PostgreSQL runs as: open the directories above it (chmod o+x), or set DATA_DIR to another directory`,
    );
  }
  return { path, account };
}

function createSystemHome(): string {
  mkdirSync(SYSTEM_STATE, { recursive: true, mode: 0o755 });
  return mkdtempSync(join(SYSTEM_STATE, 'data-'));
}

/** True also for a symbolic link that points nowhere. */
function isEntry(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/**
 * True when an account that is not root may reach `directory`, an absolute path without links:
 * execute permission on it and on each directory above. Access lists are not seen.
 */
export function canEnter(directory: string, { uid, gid }: Account): boolean {
  const stat = statSync(directory);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  const isOpen = ((stat.mode >> shift) & 0o1) === 1;
  return isOpen && (directory === dirname(directory) || canEnter(dirname(directory), { uid, gid }));
}

/** `nobody` as /etc/passwd has it: initdb refuses a uid without an entry there. */
function nobody(): Account {
  const line = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (line === null) {
    throw new EmbeddedPostgresError(
      'PostgreSQL refuses to run as root, and this system has no user nobody to run it as: start as another user, or set DATABASE_URL',
    );
  }
  return { uid: Number(line[1]), gid: Number(line[2]) };
}

/** Gives a file that root wrote into the home to whom PostgreSQL runs as. */
export function handOver(path: string, { account }: Home): void {
  if (account !== null) chownSync(path, account.uid, account.gid);
}

/** Removes what an interrupted step left behind. */
export function discard(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
