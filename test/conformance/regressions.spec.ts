import { readdirSync, readFileSync } from 'node:fs';
import { play, type Trial } from './fuzz/trial.js';
import { test } from './test.js';

const HOME = new URL('regressions/', import.meta.url);

/** What the fuzzer once found, played again. */
for (const name of readdirSync(HOME).toSorted())
  test(`regressions/${name.replace('.json', '')} — what once broke a rule no longer does [found by the fuzzer]`, async (world) => {
    await play(world, JSON.parse(readFileSync(new URL(name, HOME), 'utf8')) as Trial);
  });
