import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import typescript from 'typescript';
import { describe, expect, inject, test } from 'vitest';

const PACKAGE = '@sandbox-control-plane/sandbox-proxy';
/** All that the module itself may import (docs: the module and its contracts); `tslib` or a helper would show here. */
const OF_THE_MODULE = ['@nestjs/common', '@nestjs/core', 'lru-cache'];
const OF_THE_TABLES = ['@nestjs/typeorm', 'pg', 'typeorm'];

interface Manifest {
  readonly license: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

function directory(): string {
  return join(inject('foreignApps').express, 'node_modules', PACKAGE);
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(directory(), 'package.json'), 'utf8')) as Manifest;
}

/** Every file that an entry leads to, and every package that is imported on the way. */
function reached(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    const source = readFileSync(file, 'utf8');
    for (const { fileName: specifier } of typescript.preProcessFile(source).importedFiles) {
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  };
  visit(join(directory(), entry));
  return { files, packages };
}

/** What a script prints, run in an application that has the package. */
function printed(
  name: keyof ReturnType<typeof inject<'foreignApps'>>,
  script: string,
  type: 'module' | 'commonjs',
): string {
  const cwd = inject('foreignApps')[name];
  const env = { PATH: process.env['PATH'] ?? '' };
  return execFileSync(process.execPath, [`--input-type=${type}`, '-e', script], {
    cwd,
    env,
    encoding: 'utf8',
  }).trim();
}

describe('what is in the package', () => {
  test('each entry has declarations and code', () => {
    const entries = manifest().exports;
    expect(Object.keys(entries)).toEqual(['.', './platform', './package.json']);
    for (const name of ['.', './platform']) {
      expect(existsSync(join(directory(), entries[name]?.types ?? ''))).toBe(true);
      expect(existsSync(join(directory(), entries[name]?.default ?? ''))).toBe(true);
    }
  });

  test('the module imports nothing but Nest, its cache and Node, and the tables what reaches them', () => {
    const { exports } = manifest();
    expect([...reached(exports['.']?.default ?? '').packages].toSorted()).toEqual(OF_THE_MODULE);
    const tables = reached(exports['./platform']?.default ?? '').packages;
    expect([...tables].filter((name) => ![...OF_THE_MODULE, ...OF_THE_TABLES].includes(name))).toEqual([]);
  });

  test('nothing is in it that no entry leads to: no console, no demo, no binaries, no tests', () => {
    const { exports } = manifest();
    const files = [
      ...reached(exports['.']?.default ?? '').files,
      ...reached(exports['./platform']?.default ?? '').files,
    ];
    const expected = new Set(files.flatMap((file) => [file, file.replace(/\.js$/, '.d.ts')]));
    const packed = readdirSync(directory(), { recursive: true, encoding: 'utf8' })
      .map((file) => join(directory(), file))
      .filter((file) => statSync(file).isFile());
    const others = packed
      .filter((file) => !expected.has(file))
      .map((file) => file.slice(directory().length + 1));
    expect(others.filter((file) => !file.endsWith('.d.ts')).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'package.json',
    ]);
  });

  test('everything that it imports is declared, and what only the tables need is optional', () => {
    const { dependencies, peerDependencies, peerDependenciesMeta } = manifest();
    expect(Object.keys(dependencies)).toEqual(['lru-cache']);
    const optional = Object.keys(peerDependencies).filter(
      (name) => peerDependenciesMeta[name]?.optional === true,
    );
    expect(optional.toSorted()).toEqual(OF_THE_TABLES);
    expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining(['@nestjs/common', '@nestjs/core']));
  });

  test("the license is the whole text of the manifest's", () => {
    expect(manifest().license).toBe('Apache-2.0');
    const text = readFileSync(join(directory(), 'LICENSE'), 'utf8');
    expect(text).toMatch(/Apache License\s+Version 2\.0/);
    expect(text).toContain('END OF TERMS AND CONDITIONS');
  });

  test('its declarations are sound also for who checks those of libraries', { timeout: 120_000 }, () => {
    const cwd = inject('foreignApps').fastify;
    const file = join(cwd, 'check.ts');
    writeFileSync(file, `import '${PACKAGE}';\n`);
    const tsc = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--ignoreConfig', '--strict', '--module', 'nodenext', '--target', 'es2023'];
    const check = () =>
      execFileSync(process.execPath, [tsc, ...options, '--types', 'node', file], { cwd, encoding: 'utf8' });
    expect(check()).toBe('');
    rmSync(file);
  });
});

describe('what importing it does', () => {
  const STATE = `JSON.stringify({
    flags: v8.cachedDataVersionTag(), gc: typeof gc, arguments: process.execArgv, listeners: process.eventNames().map(String),
    server: Object.getOwnPropertyNames(http.Server.prototype), emit: http.Server.prototype.emit.toString().length,
    limits: [http.maxHeaderSize, http.globalAgent.maxSockets],
  })`;

  test('it changes nothing of the process: no flag of V8, no listener, no prototype', () => {
    const script = `
      import http from 'node:http'; import v8 from 'node:v8'; import 'reflect-metadata'; import '@nestjs/core';
      const before = ${STATE};
      await import('${PACKAGE}');
      console.log(before === ${STATE} ? 'the same' : before + ${STATE});`;
    expect(printed('express', script, 'module')).toBe('the same');
  });

  test('the comparison sees a flag of V8', () => {
    const script = `
      import http from 'node:http'; import v8 from 'node:v8';
      const before = ${STATE};
      v8.setFlagsFromString('--no-allocation-site-pretenuring');
      console.log(before === ${STATE});`;
    expect(printed('express', script, 'module')).toBe('false');
  });

  test.each(['express', 'express-nest-11'] as const)('require() gives what import gives: %s', (name) => {
    const names = 'console.log(Object.keys(p).toSorted().join())';
    const required = printed(name, `const p = require('${PACKAGE}'); ${names}`, 'commonjs');
    expect(required).toContain('SandboxProxyModule');
    expect(required).toBe(printed(name, `import * as p from '${PACKAGE}'; ${names}`, 'module'));
  });
});
