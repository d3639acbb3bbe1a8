/**
 * `npm run conformance:mutations [-- --only <part of name>] [--jobs n]`
 *
 * Shows that the suite notices: each mutation is made in a private copy of the built program, the cases that
 * watch its rule are run, and at least one has to fail. Exit code 1 when one is not noticed or no longer fits.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connectionMutations } from './connections.js';
import { doorMutations } from './doors.js';
import { headerMutations } from './headers.js';
import type { Mutation } from './mutation.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
    dist: { type: 'string' },
  },
});

let repository = import.meta.dirname;
while (!existsSync(join(repository, 'package.json'))) repository = dirname(repository);
const dist = resolve(options.dist ?? join(repository, 'dist'));
const all = [...headerMutations, ...doorMutations, ...connectionMutations];
const queue = all.filter(({ name }) => name.includes(options.only)).values();
let [noticed, missed] = [0, 0];

await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    for (const mutation of queue) {
      const why = await tryOut(mutation);
      if (why.startsWith('FAIL ')) {
        noticed += 1;
        console.log(`ok   ${mutation.name} — noticed by ${why.slice(5, 150).split(' — ')[0]}`);
      } else {
        missed += 1;
        console.log(`FAIL ${mutation.name} — ${why}`);
      }
    }
  }),
);
console.log(`${noticed} noticed, ${missed} missed`);
process.exit(missed === 0 ? 0 : 1);

/** The first failure that the mutation caused, or what is wrong with the mutation. */
async function tryOut(mutation: Mutation): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'mutation-'));
  try {
    cpSync(dist, join(directory, 'dist'), { recursive: true });
    cpSync(join(repository, 'package.json'), join(directory, 'package.json'));
    symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
    const path = join(directory, 'dist/src', mutation.file);
    let text = readFileSync(path, 'utf8');
    for (const [find, replace] of mutation.edits) {
      const times = text.split(find).length - 1;
      if (times !== 1) return `${JSON.stringify(find)} stands ${times} times in ${mutation.file}, not once`;
      text = text.replace(find, () => replace);
    }
    writeFileSync(path, text);
    const output = await suite(join(directory, 'dist/src/main.js'), mutation.only);
    return (
      output.split('\n').find((line) => line.startsWith('FAIL ')) ??
      `not noticed: ${output.trim().slice(-200)}`
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function suite(program: string, only: string): Promise<string> {
  const run = join(import.meta.dirname, '../run.js');
  const child = spawn(process.execPath, [run, '--quiet', '--program', program, '--only', only], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
  return new Promise((done) => child.on('close', () => done(output)));
}
