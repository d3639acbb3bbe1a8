/**
 * `npm run conformance [-- --only <part of id,…>] [--list] [--program <main.js>] [--jobs n] [--times] [--quiet] [--peers]`
 *
 * Raw sockets on both sides of the built program, which runs over a real PostgreSQL. One line per case, then
 * `N passed, N failed`; exit code 1 when a case failed.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ALL_CASES } from './cases/index.js';
import type { Case } from './harness/case.js';
import { within } from './harness/check.js';
import { Platform } from './harness/platform.js';
import { World } from './harness/world.js';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    program: { type: 'string' },
    jobs: { type: 'string', default: '16' },
    quiet: { type: 'boolean', default: false },
    times: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
  },
});

const repository = findRepository();
const wanted = options.only?.split(',') ?? [''];
const cases = ALL_CASES.filter(({ id }) => wanted.some((part) => id.includes(part)));
const failures: string[] = [];
const durations: [number, string][] = [];
let passed = 0;

const ids = new Set(ALL_CASES.map(({ id }) => id));
if (ids.size !== ALL_CASES.length) throw new Error('two cases have the same id');
if (options.peers) {
  await import('./peers/run.js');
} else if (options.list) {
  for (const { id, rule, source } of cases) console.log(`${id} — ${rule} [${source}]`);
  console.log(`${cases.length} cases`);
} else {
  process.on('unhandledRejection', (reason) => report('harness', `unhandled: ${String(reason)}`));
  await runAll();
}

async function runAll(): Promise<void> {
  const main = resolve(options.program ?? join(repository, 'dist/src/main.js'));
  const platform = await Platform.start(repository, main);
  try {
    const crowd = cases
      .filter((one) => !one.alone)
      .toSorted((a, b) => Number(b.slow ?? false) - Number(a.slow ?? false));
    const long = crowd.filter((one) => one.slow).map((one) => runOne(platform, one));
    await inParallel(
      crowd.filter((one) => !one.slow),
      Number(options.jobs),
      (one) => runOne(platform, one),
    );
    await Promise.all(long);
    for (const one of cases.filter((candidate) => candidate.alone)) await runOne(platform, one);
    await checkPrograms(platform);
  } finally {
    await platform.stop();
  }
  if (options.times)
    for (const [ms, id] of durations.toSorted((a, b) => b[0] - a[0]).slice(0, 25))
      console.log(`${Math.round(ms)} ms  ${id}`);
  for (const line of failures) console.log(line);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exit(failures.length === 0 && passed > 0 ? 0 : 1);
}

async function runOne(platform: Platform, one: Case): Promise<void> {
  const begun = performance.now();
  let why: string | null = null;
  try {
    const world = new World(platform, await platform.program(one.variant ?? 'default'));
    try {
      await within(one.run(world), one.timeoutMs ?? 15_000, 'the whole case');
    } catch (error) {
      why = reasonOf(error);
    }
    world.finish();
  } catch (error) {
    why = why === null ? reasonOf(error) : `${why}; and then: ${reasonOf(error)}`;
  }
  durations.push([performance.now() - begun, one.id]);
  if (why === null) {
    passed += 1;
    if (!options.quiet) console.log(`ok   ${one.id} — ${one.rule} [${one.source}]`);
  } else report(`${one.id} — ${one.rule} [${one.source}]`, why);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === 'CheckFailed' ? error.message : (error.stack ?? error.message);
}

function report(what: string, why: string): void {
  const line = `FAIL ${what} : ${why.replaceAll('\n', ' ⏎ ').slice(0, 600)}`;
  failures.push(line);
  console.log(line);
}

/** The invariants on the programs themselves, after everything that was done to them. */
async function checkPrograms(platform: Platform): Promise<void> {
  for (const [name, program] of await platform.running()) {
    const rules: [string, string, () => boolean | Promise<boolean>][] = [
      ['alive', 'the process that was started is still the one that runs', () => program.exit === null],
      [
        'healthy',
        '/healthz answers 200 after everything',
        async () => (await program.get('/healthz').catch(() => 0)) === 200,
      ],
      [
        'no-key-in-log',
        'no platform key is in the log',
        () => !Object.values(platform.teams).some(({ key }) => program.output.includes(key)),
      ],
      [
        'no-stack-in-log',
        'no uncaught exception is in the log',
        () => !/uncaught|unhandled|RangeError|TypeError|ERR_INVALID|ERR_HTTP_/i.test(program.output),
      ],
      [
        'log-lines-whole',
        'every line of the log is one JSON object',
        () => program.output.split('\n').filter(Boolean).every(isJsonOrPlain),
      ],
    ];
    for (const [id, rule, holds] of rules) {
      const full = `process/${name}-${id} — ${rule} [issue 3]`;
      if (await holds()) {
        passed += 1;
        if (!options.quiet) console.log(`ok   ${full}`);
      } else report(full, plainLines(program.output));
    }
  }
}

/** What the program printed that is no log line: where a stack would be. */
function plainLines(output: string): string {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return lines.length > 0 ? lines.slice(-15).join(' ') : output.slice(-500);
}

function isJsonOrPlain(line: string): boolean {
  if (!line.startsWith('{')) return !line.startsWith('forged-line');
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

async function inParallel<T>(
  items: readonly T[],
  lanes: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const item of queue) await run(item);
    }),
  );
}

function findRepository(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}
