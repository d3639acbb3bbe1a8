import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { errorBody } from './error-body.js';
import { ERROR_STATUS, RETRY_AFTER_SECONDS } from './error-status.js';
import { FailureLog } from './failure-log.js';
import { toApiError } from './to-api-error.js';

/** Answers everything that a controller, guard or pipe throws as `{ "error": { code, message, requestId, … } }`. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  private readonly failures: FailureLog;

  constructor(logger: Logger) {
    this.failures = new FailureLog(logger);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const error = toApiError(thrown);
    const status = ERROR_STATUS[error.code];
    if (status >= 500) this.failures.write(String(response.getHeader('X-Request-Id') ?? ''), error);
    if (response.headersSent) {
      // an ended response is the 408 of a body that is late, which is on its way already
      if (!response.writableEnded) response.destroy();
      return;
    }
    const retryAfter = RETRY_AFTER_SECONDS[error.code];
    if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
    response.status(status).json(errorBody(error, response));
  }
}
