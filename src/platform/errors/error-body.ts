import type { Response } from 'express';
import type { CodedError } from '../../sandbox-proxy/index.js';
import type { ErrorCode } from './error-status.js';

/** `{ "error": { code, message, requestId, … } }`, with the `X-Request-Id` of the response. */
export function errorBody(error: CodedError<ErrorCode>, response: Response): { readonly error: object } {
  const requestId = String(response.getHeader('X-Request-Id') ?? '');
  return { error: { ...error.fields, code: error.code, message: error.message, requestId } };
}
