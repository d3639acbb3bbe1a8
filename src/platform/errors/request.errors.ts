import type { ErrorFields } from '../../sandbox-proxy/index.js';
import { ApiError } from './api-error.js';

/** The resource does not exist, or is not the caller's: the answer does not tell which. */
export class NotFoundError extends ApiError {
  readonly code = 'not_found';
  /** @param what e.g. `sandbox`, for the message `sandbox not found` */
  constructor(what: string) {
    super(`${what} not found`);
  }
}

/** The request contradicts what there is, or exceeds a quota. */
export class ConflictError extends ApiError {
  readonly code = 'conflict';
  constructor(message: string, fields?: ErrorFields) {
    super(message, fields === undefined ? {} : { fields });
  }
}

/** Members of the body or the query are wrong. The field `problems` names all of them. */
export class ValidationFailedError extends ApiError {
  readonly code = 'validation_failed';
  constructor(problems: readonly string[]) {
    super('the request is not valid', { fields: { problems } });
  }
}

/** The caller is known, but may not do this. */
export class ForbiddenError extends ApiError {
  readonly code = 'forbidden';
}

/** The body is larger than the API reads. */
export class PayloadTooLargeError extends ApiError {
  readonly code = 'payload_too_large';
  constructor() {
    super('the body is too large');
  }
}

/** The body did not arrive in time. */
export class RequestTimeoutError extends ApiError {
  readonly code = 'request_timeout';
  constructor() {
    super('the body did not arrive in time');
  }
}

/** A defect of ours. The log says what it is; the answer does not. */
export class InternalError extends ApiError {
  readonly code = 'internal_error';
  constructor(cause: unknown) {
    super('internal error', { cause });
  }
}
