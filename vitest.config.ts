import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What the programs of the conformance suite went through is judged when all else is done. */
class ProcessesLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files);
    const last = sorted.filter(({ moduleId }) => moduleId.endsWith('/process.spec.ts'));
    return [...sorted.filter((file) => !last.includes(file)), ...last];
  }
}

const onPostgres = {
  globalSetup: 'test/kit/postgres.global-setup.ts',
  pool: 'threads',
  isolate: false,
  hookTimeout: 120_000,
} as const;

export default defineConfig({
  test: {
    maxConcurrency: 16,
    // The other core waits for PostgreSQL, browsers and programs of their own more than it works.
    maxWorkers: 2,
    sequence: { sequencer: ProcessesLast },
    projects: [
      {
        test: { name: 'unit', include: ['src/**/*.spec.ts'], pool: 'threads', isolate: false },
      },
      {
        test: {
          ...onPostgres,
          name: 'e2e',
          include: ['test/**/*.e2e-spec.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...onPostgres,
          name: 'conformance',
          include: ['test/conformance/*.spec.ts'],
          testTimeout: 60_000,
          // One worker with one program for all files; many cases of a file at a time.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
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
        test: {
          name: 'package',
          include: ['test/package/**/*.spec.ts'],
          globalSetup: ['test/kit/postgres.global-setup.ts', 'test/package/foreign-apps.global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
