import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Packages, Recipe } from './recipe.js';

/**
 * Outside the repository, and kept from run to run. Not in `~/.cache`: some applications serve nothing, or watch nothing,
 * below a directory whose name begins with a dot.
 */
const CACHE = join(
  process.env['XDG_CACHE_HOME'] ?? `/var/tmp/cache-of-${userInfo().uid}`,
  'sandbox-control-plane/apps',
);
const INSTALL_WITHIN_MS = 900_000;

/** Where pictures of what went wrong are put. */
export function picture(name: string): string {
  mkdirSync(join(CACHE, 'pictures'), { recursive: true });
  return join(CACHE, 'pictures', `${name}.png`);
}

/** Installs the packages of a recipe, unless these versions are there; the directory that they are in. */
export function install({ name, packages }: Recipe): string {
  const wanted = createHash('sha256').update(JSON.stringify(packages)).digest('hex').slice(0, 8);
  const directory = join(CACHE, `${name}-${wanted}`);
  const isWhole = join(directory, '.installed');
  installDebian(packages.debian ?? {});
  mkdirSync(CACHE, { recursive: true, mode: 0o700 });
  if (statSync(CACHE).uid !== userInfo().uid) throw new Error(`${CACHE} is another user's`);
  if (existsSync(isWhole)) return directory;
  removeOthers(name);
  mkdirSync(directory, { recursive: true });
  installNpm(packages.npm, directory);
  installPypi(packages.pypi, directory);
  writeFileSync(isWhole, '');
  return directory;
}

const NPM = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];

function installNpm(dependencies: Packages['npm'], directory: string): void {
  if (dependencies === undefined) return;
  const manifest = { name: 'app', private: true, type: 'module', dependencies };
  // What some packages build when they are installed is for the Node that they are installed with.
  const { node } = dependencies;
  if (node !== undefined) run('npm', ['install', '--no-save', ...NPM, `node@${node}`], directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest, null, 2));
  run('npm', ['install', ...NPM], directory);
}

function installPypi(packages: Packages['pypi'], directory: string): void {
  if (packages === undefined) return;
  run('python3', ['-m', 'venv', 'venv'], directory);
  const wanted = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
  run('venv/bin/pip', ['install', '--quiet', '--disable-pip-version-check', ...wanted], directory);
}

function installDebian(packages: Readonly<Record<string, string>>): void {
  const missing = Object.entries(packages).flatMap(([name, file]) => (existsSync(file) ? [] : name));
  if (missing.length === 0) return;
  run('apt-get', ['update', '-qq'], '/');
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], '/');
}

/** What was installed for other versions. */
function removeOthers(name: string): void {
  const isOfThis = new RegExp(`^${name}-[0-9a-f]{8}$`);
  for (const entry of readdirSync(CACHE))
    if (isOfThis.test(entry)) rmSync(join(CACHE, entry), { recursive: true });
}

function run(command: string, words: readonly string[], directory: string): void {
  const PATH = [join(directory, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, error, stdout, stderr } = spawnSync(command, words, {
    cwd: directory,
    env,
    encoding: 'utf8',
    timeout: INSTALL_WITHIN_MS,
    maxBuffer: 1 << 26,
  });
  if (status === 0) return;
  throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
}
