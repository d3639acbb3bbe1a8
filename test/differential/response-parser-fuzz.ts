import { parseArgs } from 'node:util';
import { ReaderComparison, ReadersDisagree } from './compare-readers.js';
import { KNOWN_DIFFERENCES } from './known-differences.js';
import { Random } from '../kit/random.js';
import { generateResponse } from './response-generator.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    'keep-going': { type: 'string', default: '0' },
  },
});
const total = Number(values.count);
let failures = 0;
const random = new Random(Number(values.seed));
const comparison = new ReaderComparison(new Random(Number(values.seed) + 1));
const startedAt = process.hrtime.bigint();
console.log(
  `seed ${values.seed}, ${total} responses, Node ${process.version} (llhttp ${process.versions['llhttp']})`,
);
for (let index = 0; index < total; index++) {
  try {
    comparison.check(generateResponse(random));
  } catch (error) {
    if (!(error instanceof ReadersDisagree)) throw error;
    console.error(`response ${index}: ${error.message}`);
    if (++failures > Number(values['keep-going'])) break;
  }
}
const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
console.log(`${comparison.responses} responses, ${comparison.readings} readings, ${seconds.toFixed(0)} s`);
console.log('verdict ours / Node:');
for (const [pair, count] of [...comparison.verdicts].toSorted((a, b) => b[1] - a[1]))
  console.log(`  ${count} ${pair}`);
console.log('listed differences:');
for (const { name, reason } of KNOWN_DIFFERENCES)
  console.log(`  ${comparison.differences.get(name) ?? 0} ${name}: ${reason}`);
console.log(failures === 0 ? 'no other difference' : 'UNLISTED DIFFERENCES');
process.exitCode = failures === 0 ? 0 : 1;
