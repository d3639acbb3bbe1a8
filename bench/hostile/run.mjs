// npm run hostile: floods of one tenant against the built program, and what becomes of another's requests meanwhile.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { stopAll } from '../platform/processes.mjs';
import { FLOODS, HONEST } from './floods.mjs';
import { Stage } from './stage.mjs';
import { measureVictim, startVictimApp } from './victim.mjs';

const USAGE = `npm run hostile -- [options]

  --only a,b     these floods: ${FLOODS.map(({ id }) => id).join(', ')}
  --seconds n    length of a flood (4)
  --settle n     from the end of a flood until memory is looked at, seconds (5)
  --program file main.js of the built program (dist/src/main.js)`;

/** Above this, the victim's p99 is too slow, unless it is less than five times that beside an honest load. */
const P99_MS = 250;
const TIMES_HONEST = 5;
const HEALTH_MS = 1_000;
const LEFT_BYTES = 50_000_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '4' },
    settle: { type: 'string', default: '5' },
    program: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const seconds = Number(values.seconds);
const settleMs = Number(values.settle) * 1_000;
const floods = FLOODS.filter(({ id }) => values.only?.split(',').includes(id) ?? true);
const say = (line) => process.stdout.write(`${line}\n`);
process.once('SIGINT', () => void stopAll().then(() => process.exit(130)));

const stage = await Stage.set(values.program === undefined ? {} : { program: values.program });
const app = await startVictimApp();
const victim = await stage.team();
const { host } = await stage.sandbox(victim.id, app.port);
const measure = () => measureVictim({ port: stage.port, host, key: victim.key, seconds });

/** Runs a flood by an attacker of its own while `during` goes on. */
async function under({ id }, during) {
  const attacker = fork(new URL('attacker.mjs', import.meta.url).pathname, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ port }] = await once(attacker, 'message');
  const team = await stage.team();
  const sandbox = await stage.sandbox(team.id, port);
  if (id === 'lists') await largeRows(team.id);
  attacker.send({ flood: id, target: { port: stage.port, host: sandbox.host, key: team.key } });
  await sleep(500);
  const result = await during();
  attacker.kill('SIGKILL');
  await once(attacker, 'exit');
  return result;
}

/** As many rows, as large, as the database takes: the API's own limits are not asked. */
function largeRows(teamId) {
  return stage.database.query(
    `INSERT INTO sandboxes (id, team_id, template, status, metadata)
     SELECT gen_random_uuid(), $1, 'hostile', 'stopped', jsonb_build_object('large', repeat('x', 95000))
     FROM generate_series(1, 1000)`,
    [teamId],
  );
}

const held = ({ heapUsed, external }) => heapUsed + external;
const ms = (value) => value.toFixed(value < 10 ? 1 : 0);
const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
const row = (cells) =>
  say(cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(9))).join(' '));

let missed = 0;
try {
  await measure();
  const alone = await measure();
  const honest = await under(HONEST, measure);
  const before = await stage.probe('left');
  row(['', 'p50 ms', 'p99 ms', 'wrong', 'health', 'loop p99', 'loop max', 'MB then', 'MB after']);
  const first = ({ p50Ms, p99Ms, wrong, healthMs }) => [
    ms(p50Ms),
    ms(p99Ms),
    String(count(wrong)),
    ms(healthMs),
  ];
  row(['alone', ...first(alone)]);
  row(['honest load', ...first(honest), '', '', '', megabytes(held(before))]);
  for (const flood of floods) {
    const result = await under(flood, async () => {
      await stage.probe('startDelay');
      const measured = await measure();
      return { measured, delay: await stage.probe('stopDelay'), atOnce: await stage.probe('left') };
    });
    await sleep(settleMs);
    const after = await stage.probe('left');
    const { measured, delay, atOnce } = result;
    row([
      flood.id,
      ...first(measured),
      ms(delay.p99Ms),
      ms(delay.maxMs),
      megabytes(held(atOnce)),
      megabytes(held(after)),
    ]);
    const problems = judge(measured, honest, held(after) - held(before));
    for (const problem of problems) say(`  MISSED (${flood.label}): ${problem}`);
    missed += problems.length;
    if (!stage.isRunning) throw new Error('the program has ended');
  }
  say(missed === 0 ? 'all goals are met' : `${missed} goals are missed`);
} finally {
  app.close();
  await stage.database.end();
  await stopAll();
}
process.exit(missed === 0 ? 0 : 1);

function count(wrong) {
  return Object.values(wrong).reduce((sum, times) => sum + times, 0);
}

function* judged({ p99Ms, wrong, healthMs }, honest, leftBytes) {
  if (p99Ms > Math.max(P99_MS, TIMES_HONEST * honest.p99Ms)) yield `the victim's p99 is ${ms(p99Ms)} ms`;
  if (count(wrong) > 0) yield `wrong answers: ${JSON.stringify(wrong)}`;
  if (healthMs > HEALTH_MS) yield `/healthz took ${ms(healthMs)} ms`;
  if (leftBytes > LEFT_BYTES) yield `${megabytes(leftBytes)} MB are left`;
}

function judge(...measured) {
  return [...judged(...measured)];
}
