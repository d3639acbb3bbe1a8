import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_STATUS } from '../platform/errors/error-status.js';

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  ...['docs', 'docs/decisions'].flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${directory}/${name}`),
  ),
];

function read(page: string): string {
  return readFileSync(page, 'utf8');
}

/** Files in a folder (`relay/tunnel.ts`) and folders (`src/platform/`); nothing with a placeholder, a star or a blank. */
function filesNamedIn(text: string): string[] {
  const form = /`((?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|md)|(?:src|test|docs|bench|examples)\/[\w./-]*)`/g;
  return [...text.matchAll(form)].map(([, path = '']) => path);
}

function isThere(path: string): boolean {
  return ['', 'src', 'src/sandbox-proxy'].some((folder) => existsSync(join(folder, path)));
}

describe('the documentation', () => {
  it.each(PAGES)('names only files that exist: %s', (page) => {
    expect(filesNamedIn(read(page)).filter((path) => !isThere(path))).toEqual([]);
  });

  it.each(PAGES)('links only to files that exist: %s', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
    expect(targets.filter((target) => !existsSync(join(dirname(page), target)))).toEqual([]);
  });

  it('has every error code in the README, with its status', () => {
    const rows = read('README.md').matchAll(/^\| ((?:`[a-z_]+` ?)+)\s*\| (\d{3})\s*\|/gm);
    const told = [...rows].flatMap(([, codes = '', status]) =>
      [...codes.matchAll(/`([a-z_]+)`/g)].map(([, code = '']) => [code, Number(status)]),
    );
    expect(Object.fromEntries(told)).toEqual(ERROR_STATUS);
  });
});
