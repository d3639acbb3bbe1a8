import { PROXY_ERROR_STATUS, PROXY_RETRY_AFTER_SECONDS } from '../../sandbox-proxy/index.js';

/** Code -> HTTP status of the API's answers: the proxy's codes and its own. */
export const ERROR_STATUS = {
  ...PROXY_ERROR_STATUS,
  validation_failed: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
} as const satisfies Record<string, number>;

/** The stable, machine-readable name of what went wrong. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** Codes whose answer carries `Retry-After`, in seconds. */
export const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = PROXY_RETRY_AFTER_SECONDS;
