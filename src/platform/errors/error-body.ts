import type { Response } from 'express';
import type { CodedError } from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';

/** `{ "error": { code, message, requestId, … } }`, with the id of the answer that it is for. */
export function errorBody(error: CodedError<ErrorCode>, response: Response): { readonly error: object } {
  const requestId = String(response.getHeader('X-Request-Id') ?? '');
  return { error: { ...error.fields, code: error.code, message: error.message, requestId } };
}
