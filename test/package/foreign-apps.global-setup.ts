import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    foreignApps: Readonly<Record<AppName, string>>;
    /** An application on the platform's own tables. */
    tablesApp: string;
    /** The control plane itself, as `npm ci --omit=dev` leaves it. */
    productionInstall: string;
  }
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples/machines');
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const PACKAGE = '@sandbox-control-plane/sandbox-proxy';

type Platform = 'express' | 'fastify';
interface AppKind {
  readonly platform: Platform;
  readonly type: 'module' | 'commonjs';
  readonly nest: 11 | 12;
}

/** The example once more for each way in which an application of somebody's may be built. */
export const APPS = {
  express: { platform: 'express', type: 'module', nest: 12 },
  fastify: { platform: 'fastify', type: 'module', nest: 12 },
  'express-commonjs': { platform: 'express', type: 'commonjs', nest: 12 },
  'express-nest-11': { platform: 'express', type: 'commonjs', nest: 11 },
  'fastify-nest-11': { platform: 'fastify', type: 'module', nest: 11 },
} as const satisfies Record<string, AppKind>;
export type AppName = keyof typeof APPS;

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** What each platform needs besides the rest. */
const OF_PLATFORM: Readonly<Record<Platform, readonly string[]>> = {
  express: ['@nestjs/platform-express', 'helmet'],
  fastify: ['@nestjs/platform-fastify', '@fastify/helmet'],
};

const NEST_11: Readonly<Record<string, string>> = {
  '@nestjs/common': '11.2.10',
  '@nestjs/core': '11.2.10',
  '@nestjs/platform-express': '11.2.10',
  '@nestjs/platform-fastify': '11.2.8',
  '@nestjs/platform-ws': '11.2.6',
  '@nestjs/websockets': '11.2.6',
};

/** What is taken out of a file of the example, and how often it must be found there. */
interface Cut {
  readonly file: string;
  readonly text: RegExp;
  readonly count: number;
}
const PROXY: Cut = { file: 'app.module.ts', text: /^.*sandboxProxy.*\n/gm, count: 2 };
const FEED: Cut = { file: 'sandbox-proxy.ts', text: /^ *\{ provide: ChangeFeed,.*\n/gm, count: 1 };
const GATEWAY: Cut = { file: 'app.module.ts', text: /^import \{ NewsGateway.*\n|, NewsGateway/gm, count: 2 };

/** The example without some of its lines is another application. */
const VARIANTS: Readonly<Record<string, readonly Cut[]>> = {
  'src-without-proxy': [PROXY],
  'src-without-feed': [FEED],
  'src-without-gateway': [GATEWAY],
  'src-without-gateway-and-proxy': [GATEWAY, PROXY],
};

/**
 * Builds and packs the package, and installs it from the tarball into each application of `APPS`, with the other
 * packages from the registry, as somebody would who has nothing of this repository. Each is compiled to `dist/src`, and
 * its variants beside that.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const work = mkdtempSync(join(tmpdir(), 'foreign-apps-'));
  await run(ROOT, 'npm', 'run', '--silent', 'build');
  await run(ROOT, 'npm', 'run', '--silent', 'package');
  const packed = await run(ROOT, 'npm', 'pack', './dist/package', '--json', '--pack-destination', work);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const directories = {} as Record<AppName, string>;
  for (const [name, kind] of Object.entries(APPS) as [AppName, AppKind][]) {
    directories[name] = join(work, name);
    writeApp(directories[name], kind, `file:../${filename}`);
  }
  const [tables, production] = [join(work, 'tables'), join(work, 'production')];
  writeTablesApp(tables, `file:../${filename}`);
  writeProduction(production);
  const { 'express-commonjs': sharing, ...installing } = directories;
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  await Promise.all([
    ...[...Object.values(installing), tables].map((directory) => run(directory, 'npm', 'install', ...flags)),
    run(production, 'npm', 'ci', '--omit=dev', ...flags),
  ]);
  symlinkSync('../express/node_modules', join(sharing, 'node_modules'));
  for (const directory of Object.values(directories)) {
    await run(directory, process.execPath, TSC, '-p', 'tsconfig.variants.json');
  }
  project.provide('foreignApps', directories);
  project.provide('tablesApp', tables);
  project.provide('productionInstall', production);
  return () => rm(work, { recursive: true });
}

function writeApp(directory: string, { platform, type, nest }: AppKind, tarball: string): void {
  cpSync(EXAMPLE, directory, {
    recursive: true,
    filter: (source) => !['node_modules', 'dist'].includes(source.slice(EXAMPLE.length + 1)),
  });
  const other = platform === 'express' ? 'fastify' : 'express';
  rmSync(join(directory, 'src', `${other}.ts`));
  const manifest = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8')) as Manifest;
  const { typescript: _ours, ...devDependencies } = manifest.devDependencies;
  const dependencies = Object.entries(manifest.dependencies)
    .filter(([name]) => !OF_PLATFORM[other].includes(name))
    .map(([name, version]) => [name, nest === 11 ? (NEST_11[name] ?? version) : version]);
  writeJson(join(directory, 'package.json'), {
    ...manifest,
    type,
    dependencies: { ...Object.fromEntries(dependencies), [PACKAGE]: tarball },
    devDependencies,
  });
  for (const [variant, cuts] of Object.entries(VARIANTS)) {
    cpSync(join(directory, 'src'), join(directory, variant), { recursive: true });
    for (const cut of cuts) takeOut(join(directory, variant), cut);
  }
  writeJson(join(directory, 'tsconfig.variants.json'), {
    extends: './tsconfig.json',
    compilerOptions: { rootDir: '.' },
    include: ['src', ...Object.keys(VARIANTS)],
  });
  writeScripts(directory);
}

function writeTablesApp(directory: string, tarball: string): void {
  const ours = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const names = ['common', 'core', 'platform-express', 'typeorm'].map((name) => `@nestjs/${name}`);
  const dependencies = [...names, 'pg', 'reflect-metadata', 'rxjs', 'typeorm'].map((name) => [
    name,
    ours.dependencies[name],
  ]);
  mkdirSync(directory);
  writeJson(join(directory, 'package.json'), {
    private: true,
    type: 'module',
    dependencies: { ...Object.fromEntries(dependencies), [PACKAGE]: tarball },
  });
  writeScripts(directory);
}

function writeProduction(directory: string): void {
  mkdirSync(directory);
  for (const file of ['package.json', 'package-lock.json', '.npmrc', 'dist']) {
    const source = join(ROOT, file);
    cpSync(source, join(directory, file), {
      recursive: true,
      filter: (path) => path !== join(ROOT, 'dist/package'),
    });
  }
}

function writeScripts(directory: string): void {
  const scripts = fileURLToPath(new URL('in-the-app', import.meta.url));
  for (const script of readdirSync(scripts)) cpSync(join(scripts, script), join(directory, script));
}

function takeOut(directory: string, { file, text, count }: Cut): void {
  const source = readFileSync(join(directory, file), 'utf8');
  const found = source.match(text)?.length ?? 0;
  if (found !== count) throw new Error(`${file} has ${found} times ${text}, not ${count}`);
  writeFileSync(join(directory, file), source.replace(text, ''));
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 2));
}

/** Its stdout. @throws Error with all that it said, if it fails */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, 'close')) as [number | null];
  const [stdout, stderr] = await said;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} in ${cwd} failed:\n${stdout}${stderr}`);
  return stdout;
}
