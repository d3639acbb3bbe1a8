import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { play, type Trial } from '../fuzz/trial.js';
import type { Case } from '../harness/case.js';

/** Where the fuzzer keeps what it found; read from the sources, since only code is compiled. */
function directory(): string {
  let repository = import.meta.dirname;
  while (!existsSync(join(repository, 'test/conformance/regressions'))) {
    if (repository === dirname(repository)) return '';
    repository = dirname(repository);
  }
  return join(repository, 'test/conformance/regressions');
}

const home = directory();
const files = home === '' ? [] : readdirSync(home).filter((name) => name.endsWith('.json'));

/** What the fuzzer once found, played again. */
export const regressions: readonly Case[] = files.toSorted().map((name) => ({
  id: `regressions/${name.replace('.json', '')}`,
  rule: 'what once broke a rule no longer does',
  source: 'fuzz',
  run: async (world) => {
    await play(world, JSON.parse(readFileSync(join(home, name), 'utf8')) as Trial);
  },
}));
