import { CodedError } from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';

/** Base of the API's own errors. */
export abstract class ApiError extends CodedError<ErrorCode> {}
