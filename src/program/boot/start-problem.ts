import type { Configuration } from '../config/configuration.js';
import { ConfigurationError } from '../config/configuration.js';
import { EmbeddedPostgresError } from '../../demo/embedded-postgres/embedded-postgres.errors.js';
import { DatabaseStartError } from '../../platform/database/open-database.js';
import { WorkerStartError } from './workers.js';

/** Errors whose message is already that line. */
const FORESEEN = [EmbeddedPostgresError, DatabaseStartError, WorkerStartError];
/** System calls that fail if the program cannot listen; `bind` if workers share the listener. */
const LISTEN_CALLS: readonly unknown[] = ['listen', 'bind', 'getaddrinfo'];

/**
 * What to print when the start has failed: one line for each problem, which says what to do. An error that was not
 * foreseen is a defect, and keeps its stack.
 */
export function startProblem(error: unknown, configuration: Configuration | undefined): string {
  if (error instanceof ConfigurationError) return error.problems.join('\n');
  if (FORESEEN.some((kind) => error instanceof kind)) return (error as Error).message;
  if (configuration !== undefined && isListenError(error)) return listenProblem(error, configuration);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isListenError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && LISTEN_CALLS.includes((error as NodeJS.ErrnoException).syscall);
}

function listenProblem({ code }: NodeJS.ErrnoException, { HOST, PORT }: Configuration): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${PORT} on ${HOST} is taken: end the program that listens there, or set PORT to another port`;
    case 'EACCES':
      return `port ${PORT} may not be used by this user: set PORT to one above 1023`;
    default:
      return `cannot listen on HOST ${HOST}, port ${PORT} (${code}): set HOST to an address of this machine`;
  }
}
