import { HttpException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import {
  CodedError,
  DirectoryUnavailableError,
  InvalidRequestError,
  UnauthorizedError,
} from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';
import { ForbiddenError, InternalError, NotFoundError, PayloadTooLargeError } from './request.errors.js';

/**
 * SQLSTATE classes: connection, authorization, catalog name, rolled back (deadlock), resources, state of an object (a
 * database that takes no connections), operator intervention (shutdown, timeout), system.
 */
const UNAVAILABLE_CLASSES = new Set(['08', '28', '3D', '40', '53', '55', '57', '58']);
const NETWORK_CODES = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);
/** What pg and pg-pool throw without a code. */
const PG_MESSAGES =
  /^(Query read timeout|timeout exceeded when trying to connect|Connection terminated|timeout expired|Client (was closed|has encountered a connection error) and is not queryable)/;

/** Turns whatever was thrown into an error with a code. What was not foreseen becomes `internal_error`. */
export function toApiError(error: unknown): CodedError<ErrorCode> {
  if (error instanceof CodedError) return error as CodedError<ErrorCode>;
  if (isDatabaseUnavailable(error)) return new DirectoryUnavailableError(error);
  const status = statusOf(error);
  if (status === 401) return new UnauthorizedError('unauthorized');
  if (status === 403) return new ForbiddenError('forbidden');
  if (status === 404) return new NotFoundError('route');
  if (status === 413) return new PayloadTooLargeError();
  if (status !== null && status >= 400 && status < 500) {
    return new InvalidRequestError('the request cannot be read');
  }
  return new InternalError(error);
}

/** True if the database is away, starting, stopping or too slow; false if a statement is wrong. */
function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    NETWORK_CODES.has(code) ||
    // of a Unix socket: ENOENT, EACCES
    ('syscall' in error && error.syscall === 'connect') ||
    (code.length === 5 && UNAVAILABLE_CLASSES.has(code.slice(0, 2))) ||
    PG_MESSAGES.test(error.message)
  );
}

function codeOf(error: Error): string {
  const source: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const code = typeof source === 'object' && source !== null && 'code' in source ? source.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Nest's exceptions, and those of Express' body parser, which carry `statusCode` and `expose`. */
function statusOf(error: unknown): number | null {
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof Error && 'expose' in error && 'statusCode' in error) {
    return typeof error.statusCode === 'number' ? error.statusCode : null;
  }
  return null;
}
