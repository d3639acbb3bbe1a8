import { randomUUID } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isRunning, pidOf } from './embedded-postgres-process.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';

/**
 * Makes this process the owner of a home directory. Each process that wants it adds a line to the file `owners`, and
 * the first line of a living process counts. So two starts at the same time cannot both win, and the line of a killed
 * owner does not count.
 *
 * @param dataDir the directory as the user knows it, for messages
 * @returns a function that gives the directory up again.
 * @throws EmbeddedPostgresError while another process, or this one, owns it.
 */
export function claim(home: string, dataDir: string): () => void {
  const file = join(home, 'owners');
  const self = identityOf(process.pid);
  if (self === null) {
    throw new EmbeddedPostgresError(
      'neither /proc nor ps tells of this process: set DATABASE_URL to use a server of your own',
    );
  }
  const mine = `${self}, ${randomUUID()}`;
  for (;;) {
    appendFileSync(file, `${mine}\n`);
    const owner = linesOf(file).find((line) => isRunning(line.split(', ')[0] ?? ''));
    if (owner === mine) return () => rmSync(file, { force: true });
    if (owner === undefined) continue;
    throw new EmbeddedPostgresError(
      `DATA_DIR ${dataDir} is in use by another control plane (process ${pidOf(owner)}): end that one, set DATA_DIR to another directory, or set DATABASE_URL to a server that both can use`,
    );
  }
}

/** No lines if the file is gone, because its owner has just given the directory up. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
