/**
 * `npm run conformance:mutations [-- --only <parts of names, comma-separated>] [--jobs n]`
 *
 * Shows that the suite notices: each mutation is made in a private copy of the built program, the cases that
 * watch its rule are run, and at least one has to fail. Exit code 1 when one is not noticed or no longer fits.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../kit/postgres.js';
import { type Mutation, MUTATIONS } from './mutations.js';

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, jobs: { type: 'string', default: '2' } },
});

const repository = process.cwd();
const wanted = options.only.split(',');
const queue = MUTATIONS.filter(({ name }) => wanted.some((part) => name.includes(part))).values();
let [noticed, missed] = [0, 0];

const postgres = await startPostgres();
await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    for (const mutation of queue) {
      const { failed, why } = await tryOut(mutation);
      if (failed === null) missed += 1;
      else noticed += 1;
      console.log(
        failed === null ? `FAIL ${mutation.name} — ${why}` : `ok   ${mutation.name} — noticed by ${failed}`,
      );
    }
  }),
);
await postgres.stop();
console.log(`${noticed} noticed, ${missed} missed`);
process.exit(missed === 0 ? 0 : 1);

interface Outcome {
  /** The first case that failed and what it said, or null. */
  readonly failed: string | null;
  /** What is wrong with the mutation, where no case failed. */
  readonly why: string;
}

async function tryOut(mutation: Mutation): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'mutation-'));
  try {
    cpSync(join(repository, 'dist'), join(directory, 'dist'), { recursive: true });
    cpSync(join(repository, 'package.json'), join(directory, 'package.json'));
    symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
    for (const [find, replace] of mutation.edits) {
      const room = join(directory, mutation.file === '' ? 'dist/src/sandbox-proxy' : 'dist/src');
      const paths = readdirSync(room, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith(`${mutation.file}.js`))
        .map((path) => join(room, path));
      const places = paths.flatMap((path) =>
        readFileSync(path, 'utf8')
          .split(find)
          .slice(1)
          .map(() => path),
      );
      const [path] = places;
      if (path === undefined || places.length > 1)
        return {
          failed: null,
          why: `${JSON.stringify(find)} stands ${places.length} times, not once`,
        };
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(find, () => replace),
      );
    }
    return await suite(directory, mutation.only);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs the cases whose names begin with or hold one of the parts, against the program in `directory`. */
async function suite(directory: string, only: string): Promise<Outcome> {
  const report = join(directory, 'report.json');
  const pattern = only.split(',').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const args = [
    '--project',
    'conformance',
    '-t',
    pattern.join('|'),
    '--bail=1',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const env = {
    ...process.env,
    TEST_DATABASE_URL: postgres.adminUrl,
    PROGRAM: join(directory, 'dist/src/main.js'),
  };
  const output = await new Promise<string>((done) => {
    execFile('node_modules/.bin/vitest', ['run', ...args], { cwd: repository, env }, (_, out, errors) =>
      done(out + errors),
    );
  });
  const cases = (JSON.parse(readFileSync(report, 'utf8')) as Report).testResults.flatMap(
    (file) => file.assertionResults,
  );
  const failed = cases.find((one) => one.status === 'failed');
  if (failed === undefined) return { failed: null, why: `not noticed: ${output.trim().slice(-200)}` };
  const [message = ''] = failed.failureMessages;
  // Then no rule was looked at.
  if (message.includes('the program did not start')) return { failed: null, why: message };
  return { failed: `${failed.title.split(' — ')[0]} (${message.split('\n', 1)[0]})`, why: '' };
}
