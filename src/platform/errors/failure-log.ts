import type { Logger } from 'pino';
import type { CodedError } from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';

/** Between two lines of one code, milliseconds. */
const INTERVAL_MS = 1_000;

interface LastLine {
  readonly atMs: number;
  suppressed: number;
}

/**
 * Logs requests that have failed because of us or of the database: at most one line a second for each code, with the number
 * of lines left out before it, so that a flood of failures is not a flood of lines too.
 */
export class FailureLog {
  private readonly lastLines = new Map<ErrorCode, LastLine>();

  /** @param clock never goes back, milliseconds */
  constructor(
    private readonly logger: Logger,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  write(requestId: string, error: CodedError<ErrorCode>): void {
    const { code } = error;
    const last = this.lastLines.get(code);
    if (last !== undefined && this.clock() - last.atMs < INTERVAL_MS) {
      last.suppressed += 1;
      return;
    }
    this.lastLines.set(code, { atMs: this.clock(), suppressed: 0 });
    const fields = { requestId, code, suppressed: last?.suppressed ?? 0 };
    const cause = error.cause ?? error;
    // only a defect needs a stack
    if (code === 'internal_error') this.logger.error({ ...fields, err: cause }, 'request failed');
    else this.logger.error({ ...fields, reason: reasonOf(cause) }, 'request failed');
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
