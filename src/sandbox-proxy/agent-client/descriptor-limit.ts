import { readFileSync } from 'node:fs';

/** Where the system does not say: what is usual. */
const USUAL_LIMIT = 4_096;
/** A proxied request needs a descriptor on either side; some are left for the database, log and listener. */
const SHARE = 0.45;

/** How many connections to agents this process may have open in all, so that one team cannot use up its descriptors. */
export function maxAgentConnections(): number {
  return Math.floor(openFilesLimit() * SHARE);
}

/** How many connections of clients this process may have open. */
export function maxClientConnections(): number {
  return Math.floor(openFilesLimit() * SHARE);
}

/** The soft limit of open files; Node has raised it to the hard one at its start. */
function openFilesLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? USUAL_LIMIT : Number(limit);
  } catch {
    // Only Linux has the file.
    return USUAL_LIMIT;
  }
}
