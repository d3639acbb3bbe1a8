import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { PATIENCE_MS } from './test/kit/wait.js';

/** What the programs of the conformance suite went through is judged when all else is done. */
class ProcessesLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files);
    const last = sorted.filter(({ moduleId }) => moduleId.endsWith('/process.spec.ts'));
    return [...sorted.filter((file) => !last.includes(file)), ...last];
  }
}

/** One thread for many files, which share what the thread has loaded. */
const inThreads = { pool: 'threads', isolate: false } as const;
const onPostgres = { ...inThreads, globalSetup: 'test/kit/postgres.global-setup.ts' } as const;

export default defineConfig({
  test: {
    // Many times what is needed, for machines that are slow or busy. Projects have these only by `extends`.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    maxConcurrency: 16,
    // On two cores: files wait for PostgreSQL, browsers, programs of their own and clocks more than they work.
    maxWorkers: 4,
    sequence: { sequencer: ProcessesLast },
    projects: [
      {
        extends: true,
        test: {
          ...inThreads,
          name: 'unit',
          include: ['src/**/*.spec.ts', 'test/*.spec.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { ...onPostgres, name: 'e2e', include: ['test/**/*.e2e-spec.ts'] },
      },
      {
        extends: true,
        test: {
          ...onPostgres,
          name: 'conformance',
          include: ['test/conformance/*.spec.ts'],
          // One worker with one program for all files; many cases of a file at a time.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...onPostgres,
          name: 'peers',
          include: ['test/conformance/peers/*.spec.ts'],
          testTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.spec.ts'],
          globalSetup: ['test/kit/postgres.global-setup.ts', 'test/package/foreign-apps.global-setup.ts'],
        },
      },
    ],
  },
});
