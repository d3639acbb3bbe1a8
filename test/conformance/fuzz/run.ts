/**
 * `npm run fuzz [-- --seconds 60] [--seed n]`
 *
 * Requests and answers from a grammar with mutations, played through the built program (or the one that PROGRAM names);
 * what breaks a rule is kept under test/conformance/regressions/, and the conformance suite replays it from then on.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../kit/postgres.js';
import { Random } from '../../kit/random.js';
import { within } from '../../kit/wait.js';
import { Platform } from '../platform.js';
import { World } from '../world.js';
import { answerBytes, requestBytes } from './grammar.js';
import { HOST, KEY, play, type Trial } from './trial.js';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    jobs: { type: 'string', default: '8' },
  },
});

const seed = Number(options.seed);
const end = performance.now() + Number(options.seconds) * 1_000;
const counts = { trials: 0, answered: 0, cut: 0, found: 0, upstream: 0 };

const postgres = await startPostgres();
const platform = await Platform.start(postgres.adminUrl);
const program = await platform.program('default');
let next = 0;
await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    while (performance.now() < end && program.isRunning && counts.found < 20) await trial(seed + next++);
  }),
);
const isAlive = program.isRunning && (await fetch(`http://127.0.0.1:${program.port}/healthz`)).ok;
if (!isAlive)
  console.log(`the program died: ${program.banner.slice(-1_000)} ${program.stderr.slice(-2_000)}`);
await platform.stop();
await postgres.stop();
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
      `test/conformance/regressions/fuzz-${own}.json`,
      `${JSON.stringify({ why: why.slice(0, 300), ...one }, null, 2)}\n`,
    );
  }
}
