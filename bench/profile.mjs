// `npm run bench:profile`: a CPU profile of our program under the GET load, its ten hottest functions and a flame graph.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './contenders/contenders.mjs';
import { getSmall } from './measure/http-loads.mjs';
import { measured } from './measure/measured.mjs';
import { verify } from './measure/verify.mjs';
import { stopAll } from './platform/processes.mjs';
import { setStage } from './platform/stage.mjs';
import { ask } from './probe/ask.mjs';
import { flameGraph } from './profile/flame-graph.mjs';
import { callTree, hottest } from './profile/cpu-profile.mjs';
import { number } from './report/columns.mjs';

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

function say(text) {
  process.stderr.write(`${text}\n`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      program: { type: 'string', default: 'dist/src/main.js' },
      contender: { type: 'string', default: 'ours' },
      seconds: { type: 'string', default: '8' },
      top: { type: 'string', default: '10' },
    },
  });
  const run = await setStage({ contenders: [values.contender], program: values.program }, say);
  const [contender] = run.contenders;
  const target = await launch(contender, run.stage, { probe: run.stage.probes });
  await verify(target);
  await getSmall(target, 3);
  mkdirSync(RESULTS, { recursive: true });
  const file = `${RESULTS}${values.contender}.cpuprofile`;
  await ask(run.stage.probes, target.pid, 'startProfile');
  const result = await measured(target, () => getSmall(target, Number(values.seconds)));
  await ask(run.stage.probes, target.pid, 'stopProfile', { file });
  await target.stop();

  const tree = callTree(JSON.parse(readFileSync(file, 'utf8')));
  const title = `${contender.label}: GET small, 32 connections, ${result.requests} requests`;
  writeFileSync(`${RESULTS}${values.contender}-flame.svg`, flameGraph(tree, title));
  const rows = hottest(tree, Number(values.top)).map(({ name, place, selfUs, share }, i) => {
    const perRequest = number(selfUs / result.requests, 1);
    return `| ${i + 1} | ${name} | ${place} | ${number(share * 100, 1)} | ${perRequest} |`;
  });
  return [
    `${title}; CPU µs per request while profiled: ${number(result.cpuNs / 1000 / result.requests, 1)}`,
    '',
    '| | function | at | self % of busy time | self µs per request |',
    '|---:|---|---|---:|---:|',
    ...rows,
    '',
    `Profile: ${file} (opens in Chrome's developer tools); flame graph: ${RESULTS}${values.contender}-flame.svg`,
  ].join('\n');
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void stopAll().then(() => process.exit(1)));
}

try {
  process.stdout.write(`${await main()}\n`);
} catch (error) {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
} finally {
  await stopAll();
}
process.exit();
