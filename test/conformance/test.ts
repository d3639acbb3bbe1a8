import { it } from 'vitest';
import { createTestDatabase } from '../kit/database.js';
import { Platform } from './platform.js';
import { World } from './world.js';

/** One rule, shown by exchanges in a world of its own. */
export type Case = (world: World) => Promise<void> | void;

/** A test on the programs that the whole run shares. */
// oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures are wanted
export const onPlatform = it.extend('platform', { scope: 'worker' }, async ({}, { onCleanup }) => {
  const database = await createTestDatabase({ isEmpty: true });
  const platform = await Platform.start(database.url);
  onCleanup(async () => {
    await platform.stop();
    await database.drop();
  });
  return platform;
});

/** Runs at the same time as others. @param name `group/name — rule [source]` */
export function test(name: string, run: Case, timeoutMs?: number): void {
  onPlatform.concurrent(
    name,
    ({ platform, onTestFinished }) => World.run(platform, run, onTestFinished),
    timeoutMs,
  );
}

/** Runs when nothing else does: it measures time, memory or descriptors, or stops the database. */
export function alone(name: string, run: Case): void {
  onPlatform(name, ({ platform, onTestFinished }) => World.run(platform, run, onTestFinished));
}
