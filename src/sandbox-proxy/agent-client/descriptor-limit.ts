import { readFileSync } from 'node:fs';

/** Assumed where the system does not tell. */
const USUAL_LIMIT = 4_096;
/** A proxied request needs a descriptor on either side. The rest is for the database, the log and the listener. */
const SHARE = 0.45;

/** Most connections that this process may have open on either side, to clients and to agents. */
export function maxConnectionsPerSide(): number {
  return Math.floor(openFilesLimit() * SHARE);
}

/** The soft limit of open files, which Node raises to the hard limit when it starts. */
function openFilesLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return limit === undefined ? USUAL_LIMIT : Number(limit);
  } catch {
    // Only Linux has the file.
    return USUAL_LIMIT;
  }
}
