// `npm run apps`: real applications in a sandbox, used directly on localhost and from outside; see docs/apps.md.
//
//   --only vite,next   these alone
//   --small            the small ones, which .ci/run runs; docs/apps.md is compared instead of written
//   --direct           directly on localhost alone, without a control plane
import { parseArgs } from 'node:util';
import { install } from './cache.js';
import type { Recipe } from './recipe.js';
import { RECIPES } from './recipes/index.js';
import { RunningApp } from './running-app.js';
import { Stage } from './stage.js';
import { difference, type Outcome, writeTable } from './table.js';
import { Visits, WAYS, type Way } from './visits.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    small: { type: 'boolean', default: false },
    direct: { type: 'boolean', default: false },
  },
});

let passed = 0;
let failed = 0;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What `--only` and `--small` leave. @throws where `--only` names what is not there */
function chosen(): readonly Recipe[] {
  const names = options.only?.split(',');
  const unknown = names?.find((name) => !RECIPES.some((recipe) => recipe.name === name));
  if (unknown !== undefined) throw new Error(`no such application: ${unknown}`);
  return RECIPES.filter(
    ({ name, isSmall = false }) => (names?.includes(name) ?? true) && (isSmall || !options.small),
  );
}

function count(name: string, problem: string | null, startedAt: number): boolean {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  say(
    problem === null
      ? `  ${name}: works (${seconds} s)`
      : `  ${name}: DOES NOT WORK (${seconds} s)\n  ${problem}`,
  );
  if (problem === null) passed++;
  else failed++;
  return problem === null;
}

/** Installs, starts and uses an application; null where it did not come so far. */
async function run(recipe: Recipe, visits: Visits): Promise<Outcome | null> {
  say(`${recipe.title} ${recipe.version}`);
  const startedAt = performance.now();
  let app: RunningApp;
  try {
    app = await RunningApp.start(recipe, install(recipe));
  } catch (error) {
    count('start', String(error), startedAt);
    return null;
  }
  say(`  started (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`);
  const works = new Map<Way, boolean>();
  try {
    for (const way of options.direct ? WAYS.slice(0, 1) : WAYS) {
      const since = performance.now();
      works.set(way, count(way, await visits.make(way, recipe, app), since));
    }
    if ([...works.values()].includes(false)) say(`  it printed:\n${app.output.slice(-2_000)}`);
  } finally {
    await app.stop();
  }
  return { recipe, directly: works.get('directly') ?? false, outside: works.get('from outside') ?? false };
}

async function main(): Promise<void> {
  const recipes = chosen();
  const stage = options.direct ? null : new Stage();
  const visits = new Visits(stage);
  const outcomes: Outcome[] = [];
  try {
    await stage?.start();
    await visits.start();
    for (const recipe of recipes) {
      const outcome = await run(recipe, visits);
      if (outcome !== null) outcomes.push(outcome);
    }
  } finally {
    await visits.stop();
    await stage?.stop();
  }
  if (options.small) for (const recipe of RECIPES) compare(recipe);
  else if (!options.direct) await writeTable(outcomes, RECIPES);
}

/** The page says of every application what its recipe says. */
function compare(recipe: Recipe): void {
  const problem = difference(recipe);
  if (problem === null) return void passed++;
  failed++;
  say(problem);
}

await main();
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
