/** Code -> HTTP status of every answer that the proxy gives itself. A code that is missing here does not compile. */
export const PROXY_ERROR_STATUS = {
  // the request itself is wrong
  invalid_port: 400,
  invalid_sandbox_id: 400,
  invalid_path: 400,
  invalid_host: 400,
  invalid_request: 400,
  headers_too_large: 431,
  request_timeout: 408,
  // who asks, for what, and whether it runs
  unauthorized: 401,
  session_ended: 401,
  cross_site_request: 403,
  port_denied: 404,
  sandbox_not_found: 404,
  sandbox_not_running: 409,
  too_many_lookups: 429,
  limit_exceeded: 429,
  sandbox_busy: 503,
  proxy_busy: 503,
  host_unavailable: 503,
  directory_unavailable: 503,
  // the host agent and the app
  upstream_unreachable: 502,
  upstream_invalid_response: 502,
  app_forces_https: 502,
  upstream_timeout: 504,
  // the process
  shutting_down: 503,
  internal_error: 500,
} as const satisfies Record<string, number>;

/** The stable, machine-readable name of what went wrong. */
export type ProxyErrorCode = keyof typeof PROXY_ERROR_STATUS;

/** Codes whose answer carries `Retry-After`, in seconds: trying again is expected to help. */
export const PROXY_RETRY_AFTER_SECONDS: Partial<Record<ProxyErrorCode, number>> = {
  directory_unavailable: 2,
  host_unavailable: 5,
  sandbox_busy: 1,
  proxy_busy: 1,
  too_many_lookups: 1,
  limit_exceeded: 1,
  shutting_down: 5,
};
