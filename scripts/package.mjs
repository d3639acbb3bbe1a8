// `npm run package`: writes dist/package, the sandbox proxy as a package of its own that `npm pack ./dist/package` packs.
// What an entry below imports is in it, and nothing else of the program is.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const root = new URL('../', import.meta.url);
const target = new URL('dist/package/', root);
const { version, license, engines, dependencies } = JSON.parse(readFileSync(new URL('package.json', root)));

const ENTRIES = {
  '.': './sandbox-proxy/index',
  './platform': './platform/proxy-adapter/index',
};

/** What test/package installs the package with; of the tables' ones an application without them needs none. */
const PEERS = {
  '@nestjs/common': '^11.0.0 || ^12.0.0',
  '@nestjs/core': '^11.0.0 || ^12.0.0',
  'reflect-metadata': '^0.2.0',
  rxjs: '^7.8.0',
};
const PEERS_OF_THE_TABLES = {
  '@nestjs/typeorm': '^12.0.0',
  pg: '^8.11.0',
  typeorm: '^1.1.0',
};

rmSync(target, { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.package.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

const manifest = {
  name: '@sandbox-control-plane/sandbox-proxy',
  version,
  description: 'Reverse proxy into the ports of sandboxes, as a module of a NestJS application',
  license,
  type: 'module',
  engines,
  exports: {
    ...Object.fromEntries(
      Object.entries(ENTRIES).map(([name, file]) => [name, { types: `${file}.d.ts`, default: `${file}.js` }]),
    ),
    './package.json': './package.json',
  },
  // for compilers that do not read `exports`
  main: `${ENTRIES['.']}.js`,
  types: `${ENTRIES['.']}.d.ts`,
  dependencies: { 'lru-cache': `^${dependencies['lru-cache']}` },
  peerDependencies: { ...PEERS, ...PEERS_OF_THE_TABLES },
  peerDependenciesMeta: Object.fromEntries(
    Object.keys(PEERS_OF_THE_TABLES).map((name) => [name, { optional: true }]),
  ),
};
writeFileSync(new URL('package.json', target), `${JSON.stringify(manifest, null, 2)}\n`);
cpSync(new URL('LICENSE', root), new URL('LICENSE', target));
// links into the repository lead nowhere from there
const page = readFileSync(new URL('docs/in-another-application.md', root), 'utf8');
writeFileSync(new URL('README.md', target), page.replaceAll(/\[([^\]]+)\]\(\.\.\/[^)]*\)/g, '$1'));
