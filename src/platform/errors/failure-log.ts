import type { Logger } from 'pino';
import { type CodedError, RepeatedLines } from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';
import { reasonOf } from './reason-of.js';

/**
 * Logs requests that have failed because of us or of the database: at most one line a second for each code, with the number
 * of lines left out before it, so that a flood of failures is not a flood of lines too.
 */
export class FailureLog {
  private readonly lines: RepeatedLines;

  /** @param clock never goes back, milliseconds */
  constructor(
    private readonly logger: Logger,
    clock?: () => number,
  ) {
    this.lines = new RepeatedLines(clock);
  }

  write(requestId: string, error: CodedError<ErrorCode>): void {
    const { code } = error;
    const suppressed = this.lines.pass(code);
    if (suppressed === null) return;
    const fields = { requestId, code, suppressed };
    const cause = error.cause ?? error;
    // only a defect needs a stack
    if (code === 'internal_error') this.logger.error({ ...fields, err: cause }, 'request failed');
    else this.logger.error({ ...fields, reason: reasonOf(cause) }, 'request failed');
  }
}
