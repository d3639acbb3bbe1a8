import type { ErrorFields } from '../../sandbox-proxy/index.js';
import { ApiError } from './api-error.js';

/** The resource is not there, or not the caller's: the two are not told apart. */
export class NotFoundError extends ApiError {
  readonly code = 'not_found';
  /** @param what e.g. `sandbox`, for the message `sandbox not found` */
  constructor(what: string) {
    super(`${what} not found`);
  }
}

/** What is asked for contradicts what is there. */
export class ConflictError extends ApiError {
  readonly code = 'conflict';
  constructor(message: string, fields?: ErrorFields) {
    super(message, fields === undefined ? {} : { fields });
  }
}

/** The body or the query has members that are wrong, all of them named in the field `problems`. */
export class ValidationFailedError extends ApiError {
  readonly code = 'validation_failed';
  constructor(problems: readonly string[]) {
    super('the request is not valid', { fields: { problems } });
  }
}

/** The request cannot be read at all, e.g. malformed JSON. */
export class MalformedRequestError extends ApiError {
  readonly code = 'invalid_request';
}

/** No credential of the kind that the route takes, or a wrong one. */
export class CredentialError extends ApiError {
  readonly code = 'unauthorized';
}

/** The caller is known and may not do this. */
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

/** The caller's address has shown so many keys that nobody has that it has to wait. */
export class TooManyUnknownKeysError extends ApiError {
  readonly code = 'too_many_lookups';
  constructor() {
    super('too many requests with unknown API keys; try again shortly');
  }
}

/** A defect of ours; what it is stands in the log and not in the answer. */
export class InternalError extends ApiError {
  readonly code = 'internal_error';
  constructor(cause: unknown) {
    super('internal error', { cause });
  }
}
