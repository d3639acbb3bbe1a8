/**
 * Code -> HTTP status: the one table that turns errors into answers, of the proxy and of the API alike.
 * A code that is missing here does not compile.
 */
export const ERROR_STATUS = {
  // the proxy: the request names a sandbox, and wrongly
  invalid_port: 400,
  invalid_sandbox_id: 400,
  invalid_path: 400,
  invalid_host: 400,
  invalid_request: 400,
  // the proxy: who, where, whether
  unauthorized: 401,
  cross_site_request: 403,
  port_denied: 404,
  sandbox_not_found: 404,
  sandbox_not_running: 409,
  too_many_lookups: 429,
  sandbox_busy: 503,
  host_unavailable: 503,
  directory_unavailable: 503,
  // the proxy: the other side
  upstream_unreachable: 502,
  upstream_invalid_response: 502,
  upstream_timeout: 504,
  // the API
  validation_failed: 400,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  internal_error: 500,
  // the whole process
  shutting_down: 503,
} as const satisfies Record<string, number>;

/** The stable, machine-readable name of what went wrong. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** Codes whose answer carries `Retry-After`, in seconds: what is wrong is expected to pass. */
export const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  directory_unavailable: 2,
  host_unavailable: 5,
  sandbox_busy: 1,
  too_many_lookups: 1,
  shutting_down: 5,
};
