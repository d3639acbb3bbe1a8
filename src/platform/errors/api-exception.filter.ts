import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import type { Logger } from 'pino';
import { ERROR_STATUS, RETRY_AFTER_SECONDS } from './error-status.js';
import { toApiError } from './to-api-error.js';

/** Answers everything that a controller, guard or pipe throws as `{ "error": { code, message, requestId, … } }`. */
@Catch()
export class ApiExceptionFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const error = toApiError(thrown);
    const status = ERROR_STATUS[error.code];
    const requestId = String(response.getHeader('X-Request-Id') ?? '');
    if (status >= 500)
      this.logger.error({ requestId, code: error.code, err: error.cause ?? error }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const retryAfter = RETRY_AFTER_SECONDS[error.code];
    if (retryAfter !== undefined) response.setHeader('Retry-After', String(retryAfter));
    response
      .status(status)
      .json({ error: { ...error.fields, code: error.code, message: error.message, requestId } });
  }
}
