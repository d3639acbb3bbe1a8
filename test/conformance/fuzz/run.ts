/**
 * `npm run fuzz [-- --seconds 60] [--seed n] [--program main.js]`
 *
 * Requests and answers from a grammar with mutations, played through the built program; what breaks a rule is
 * kept under test/conformance/regressions/, and the conformance suite replays it from then on.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { within } from '../harness/check.js';
import { Platform } from '../harness/platform.js';
import { World } from '../harness/world.js';
import { answerBytes, requestBytes } from './grammar.js';
import { Random } from './random.js';
import { HOST, KEY, play, type Trial } from './trial.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    program: { type: 'string' },
    jobs: { type: 'string', default: '8' },
  },
});

let repository = import.meta.dirname;
while (!existsSync(join(repository, 'package.json'))) repository = dirname(repository);
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
const end = performance.now() + Number(options.seconds) * 1_000;
const counts = { trials: 0, answered: 0, cut: 0, found: 0, upstream: 0 };

const platform = await Platform.start(
  repository,
  resolve(options.program ?? join(repository, 'dist/src/main.js')),
);
const program = await platform.program('default');
let next = 0;
await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    while (performance.now() < end && program.exit === null && counts.found < 20) await trial(seed + next++);
  }),
);
const isAlive = program.exit === null && (await program.get('/healthz').catch(() => 0)) === 200;
if (!isAlive)
  console.log(
    `the program died: ${program.exit} ${program.output
      .split('\n')
      .filter((line) => !line.startsWith('{'))
      .slice(-12)
      .join(' ')}`,
  );
await platform.stop();
console.log(
  `seed ${seed}: ${counts.trials} trials, ${counts.answered} answered, ${counts.cut} cut off, ${counts.upstream} requests upstream, ${counts.found} found`,
);
process.exit(counts.found === 0 && isAlive ? 0 : 1);

async function trial(own: number): Promise<void> {
  const random = new Random(own);
  const one: Trial = {
    request: requestBytes(random, HOST, KEY),
    answer: answerBytes(random),
    cuts: random.chance(40) ? Array.from({ length: 3 }, () => random.below(300)) : [],
  };
  const world = new World(platform, program);
  counts.trials += 1;
  try {
    counts[await within(play(world, one), 10_000, 'the trial')] += 1;
    counts.upstream += world.requestsUpstream;
    world.finish();
  } catch (error) {
    world.close();
    counts.found += 1;
    const why = error instanceof Error ? error.message : String(error);
    console.log(`found ${own}: ${why.slice(0, 300)}`);
    writeFileSync(
      join(repository, 'test/conformance/regressions', `fuzz-${own}.json`),
      `${JSON.stringify({ why: why.slice(0, 300), ...one }, null, 2)}\n`,
    );
  }
}
