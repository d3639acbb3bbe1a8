// `npm run bench`: every contender under every load, in turn; see docs/benchmark.md.
import { readOptions } from './options.mjs';
import { runLoad } from './measure/run-load.mjs';
import { stopAll } from './platform/processes.mjs';
import { setStage } from './platform/stage.mjs';
import { describeMachine } from './platform/machine.mjs';
import { writeReport } from './report/report.mjs';

function say(text) {
  process.stderr.write(`${text}\n`);
}

async function main() {
  if (process.platform !== 'linux') throw new Error('the bench reads /proc: it runs on Linux only');
  const options = readOptions();
  const machine = describeMachine();
  const run = await setStage(options, say);
  const results = { machine, upstream: run.upstream.kind, options: summary(options), loads: [] };
  results.contenders = run.contenders.map(({ id, label, absent }) => ({ id, label, absent }));
  for (const load of options.loads) results.loads.push(await runLoad(load, run, say));
  return writeReport(results, options);
}

function summary({ rounds, seconds, warmUpSeconds, quick }) {
  return { rounds, seconds, warmUpSeconds, quick };
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
}

try {
  const text = await main();
  process.stdout.write(`${text}\n`);
} catch (error) {
  say(error.message.startsWith('no such') ? error.message : error.stack);
  process.exitCode = 1;
} finally {
  await stopAll();
}
process.exit();
