import {
  accessSync,
  chmodSync,
  constants,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError, codeOf } from './embedded-postgres.errors.js';

/** The user that PostgreSQL runs as when this process is root, since PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The directory that holds the cluster and what belongs to it. */
export interface Home {
  /**
   * Absolute, without symbolic links. It is owned by us; `cluster` and `socket` in it are owned by PostgreSQL's
   * account.
   */
  readonly path: string;
  /** Null if PostgreSQL runs as this process's own user. */
  readonly account: Account | null;
}

/** For clusters that cannot be in their data directory, because PostgreSQL cannot enter it. */
const SYSTEM_STATE = '/var/lib/sandbox-control-plane';
/** Uids that neither distributions nor systemd use (https://systemd.io/UIDS-GIDS). */
const FREE_UIDS = { first: 60_578, count: 606 };

/**
 * Creates or finds `{dataDir}/postgresql`, and lets the user that PostgreSQL runs as enter it. If this process is root,
 * that is a uid that no other process has, so that none can read the files. That user cannot reach a `DATA_DIR` below a
 * private directory (`/root/app/data`): then `postgresql` is a link to a directory below
 * `/var/lib/sandbox-control-plane`.
 *
 * @throws EmbeddedPostgresError when the directory cannot be written, or belongs to another user.
 */
export function prepareHome(dataDir: string): Home {
  const isRoot = process.getuid?.() === 0;
  const directory = resolve(dataDir);
  const home = join(directory, 'postgresql');
  try {
    mkdirSync(directory, { recursive: true, mode: isRoot ? 0o711 : 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
    if (isRoot) return homeOfRoot(directory, home);
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) throw error;
    throw new EmbeddedPostgresError(
      `DATA_DIR ${directory} cannot be written (${codeOf(error)}): make it writable for this user, or set DATA_DIR to a directory that is`,
      { cause: error },
    );
  }
  const owner = statSync(home).uid;
  if (owner === process.getuid?.()) return { path: realpathSync(home), account: null };
  throw new EmbeddedPostgresError(
    `the database in DATA_DIR ${directory} belongs to uid ${owner}: start as that user or as root, or set DATA_DIR to another directory`,
  );
}

function homeOfRoot(directory: string, home: string): Home {
  if (lstatSync(home, { throwIfNoEntry: false }) === undefined) {
    // others may pass through the directory now; what is in it is protected entry by entry
    chmodSync(directory, statSync(directory).mode | 0o001);
    if (canEnter(realpathSync(directory), nobody())) mkdirSync(home);
    else symlinkSync(createSystemHome(), home);
    chmodSync(home, 0o711);
  }
  const path = realpathSync(home);
  const account = statSync(join(path, 'cluster'), { throwIfNoEntry: false }) ?? newAccount();
  if (!canEnter(path, account)) {
    throw new EmbeddedPostgresError(
      `the database's directory ${path} cannot be entered by uid ${account.uid}, which PostgreSQL runs as: open the directories above it (chmod o+x), or set DATA_DIR to another directory`,
    );
  }
  return { path, account: { uid: account.uid, gid: account.gid } };
}

function createSystemHome(): string {
  mkdirSync(SYSTEM_STATE, { recursive: true, mode: 0o755 });
  return mkdtempSync(join(SYSTEM_STATE, 'data-'));
}

function newAccount(): Account {
  const uid = FREE_UIDS.first + Math.floor(Math.random() * FREE_UIDS.count);
  const isTaken = new RegExp(`^[^:]*:[^:]*:${uid}:`, 'm').test(readFileSync('/etc/passwd', 'utf8'));
  return isTaken ? newAccount() : { uid, gid: uid };
}

/** The user `nobody` of /etc/passwd. */
export function nobody(): Account {
  const [, uid, gid] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  throw new EmbeddedPostgresError(
    'PostgreSQL refuses to run as root, and this system has no user nobody: start as another user, or set DATABASE_URL',
  );
}

/** The name of this process's user. @throws EmbeddedPostgresError if it has none. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL needs a user with an entry in /etc/passwd, which uid ${process.getuid?.()} is not: set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
}

/**
 * True if an account that is not root may enter `directory`, an absolute path without links: it has execute permission
 * on it and on each directory above. Access control lists are not taken into account.
 */
export function canEnter(directory: string, { uid, gid }: Account): boolean {
  const stat = statSync(directory);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  const isOpen = ((stat.mode >> shift) & 0o1) === 1;
  return isOpen && (directory === dirname(directory) || canEnter(dirname(directory), { uid, gid }));
}

/** Makes an account the owner of a directory and everything in it; null: the owner stays. */
export function handOver(directory: string, account: Account | null): void {
  if (account === null) return;
  const inside = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of ['', ...inside]) lchownSync(join(directory, name), account.uid, account.gid);
}
