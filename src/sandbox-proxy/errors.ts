import type { ProxyErrorCode } from './error-status.js';

/** What an error shows in addition to code and message, e.g. `{ status: 'paused' }`. */
export type ErrorFields = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * Base of every error that a caller can act on. It has a stable `code` and knows nothing of HTTP: `error-status.ts` has the
 * status of each code. The message is shown to the caller as it is, so it must hold no internal address and no unescaped
 * client input.
 */
export abstract class CodedError<Code extends string> extends Error {
  abstract readonly code: Code;
  /** Further members of the JSON error object. */
  readonly fields: ErrorFields;

  constructor(message: string, options?: { cause?: unknown; fields?: ErrorFields }) {
    const { stackTraceLimit } = Error;
    // A refusal is no accident: walking the stack for each was a sixth of what a flood of them costs (Node 20.20, 2026-11).
    Error.stackTraceLimit = 0;
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = new.target.name;
    this.fields = options?.fields ?? {};
  }
}

/** Base of the errors that the proxy itself answers. */
export abstract class ProxyError extends CodedError<ProxyErrorCode> {}

/** A store of the application gave no answer. That says nothing about keys or sandboxes, and is not remembered. */
export class DirectoryUnavailableError extends ProxyError {
  readonly code = 'directory_unavailable';
  constructor(cause: unknown) {
    super('the directory of keys and sandboxes is not available; try again shortly', { cause });
  }
}

/** The Host header names a port outside 1-65535. */
export class InvalidPortError extends ProxyError {
  readonly code = 'invalid_port';
  constructor() {
    super('the port in the host name must be between 1 and 65535');
  }
}

/** The Host header names a sandbox id that is not well formed. */
export class InvalidSandboxIdError extends ProxyError {
  readonly code = 'invalid_sandbox_id';
  /** @param form of an id, in words */
  constructor(form: string) {
    super(`the sandbox id in the host name is not valid: ${form}`);
  }
}

/** The Host header names a port that nobody may reach, e.g. the guest agent's. */
export class PortDeniedError extends ProxyError {
  readonly code = 'port_denied';
  constructor() {
    super('this port of the sandbox cannot be reached from outside');
  }
}

/** Two Host headers, junk after the domain, or a request target that names another host than the Host header. */
export class InvalidHostError extends ProxyError {
  readonly code = 'invalid_host';
  constructor(message = 'the Host header is not valid') {
    super(message);
  }
}

/** A request target that is not a path, or that hides a `..` or a credential. */
export class InvalidPathError extends ProxyError {
  readonly code = 'invalid_path';
}

/** A request that cannot be read, or whose framing the proxy will not pass on. */
export class InvalidRequestError extends ProxyError {
  readonly code = 'invalid_request';
}

/** What a request is told whose credential was revoked while it was under way. */
export const REVOKED = 'access has been revoked';

/** No credential, or one that admits nobody. */
export class UnauthorizedError extends ProxyError {
  readonly code = 'unauthorized';
}

/**
 * Why a session, or a link, is good no more: `used`: a link for one browser has been used; `paused`: the sandbox was paused
 * or moved, and the team wants that to end it; `replaced`: its link has begun too many sessions since.
 */
export type SessionEnd = 'expired' | 'revoked' | 'used' | 'paused' | 'replaced';

/** What has happened to a session or a link, and what its visitor can do. */
const ENDS: Readonly<Record<SessionEnd, string>> = {
  expired: 'has expired; ask for a new link',
  revoked: 'has been revoked; ask for a new link',
  used: 'works once, and has been used; ask for a new link',
  paused: 'has ended because the sandbox was paused or moved; open the link again, or ask for a new one',
  replaced: 'has ended because its link was opened very often; open the link again, or ask for a new one',
};

/** A browser's session, or its link, was good, and is so no more. */
export class SessionEndedError extends ProxyError {
  readonly code = 'session_ended';
  /** @param mayBeFramed whether the link allowed pages of other origins to show the sandbox in a frame */
  constructor(
    reason: SessionEnd,
    what: 'session' | 'link' = 'session',
    readonly mayBeFramed = false,
  ) {
    super(`the ${what} ${ENDS[reason]}`, { fields: { reason } });
  }
}

/** A browser's session was used by a page that may not use it. */
export class CrossSiteRequestError extends ProxyError {
  readonly code = 'cross_site_request';
  constructor(message = 'the request comes from a page of another origin') {
    super(message);
  }
}

/** No such sandbox, or another team's: the caller cannot tell which. */
export class SandboxNotFoundError extends ProxyError {
  readonly code = 'sandbox_not_found';
  constructor() {
    super('sandbox not found');
  }
}

/** A team or a client has asked for so much that does not exist that it has to wait. */
export class TooManyLookupsError extends ProxyError {
  readonly code = 'too_many_lookups';
  constructor(what = 'for sandboxes that do not exist') {
    super(`too many requests ${what}; try again shortly`);
  }
}

/** Somebody does more of one thing at a time than there is room for. */
export class LimitExceededError extends ProxyError {
  readonly code = 'limit_exceeded';
}

/** The sandbox exists but does not run. */
export class SandboxNotRunningError extends ProxyError {
  readonly code = 'sandbox_not_running';
  constructor(status: string) {
    super(`sandbox is not running (status: ${status})`, { fields: { status } });
  }
}

/** Every connection that the sandbox may have is in use. */
export class SandboxBusyError extends ProxyError {
  readonly code = 'sandbox_busy';
  constructor() {
    super('the sandbox has too many open connections; try again shortly');
  }
}

/** The process lacks descriptors or memory for another connection. */
export class ProxyBusyError extends ProxyError {
  readonly code = 'proxy_busy';
  constructor(cause?: unknown) {
    super('this server has too many open connections; try again shortly', { cause });
  }
}

/** The process is about to end: it opens no further tunnels. */
export class ShuttingDownError extends ProxyError {
  readonly code = 'shutting_down';
  constructor() {
    super('this server is about to stop; try again');
  }
}

/** The sandbox's host has no address that the proxy may connect to. */
export class HostUnavailableError extends ProxyError {
  readonly code = 'host_unavailable';
  constructor() {
    super("the sandbox's host is not available");
  }
}

/** The agent refused, reset or dropped the connection before its answer. */
export class UpstreamUnreachableError extends ProxyError {
  readonly code = 'upstream_unreachable';
  constructor(cause: unknown) {
    super("the sandbox's host does not answer", { cause });
  }
}

/** What came back is not an HTTP/1.1 response. */
export class UpstreamInvalidResponseError extends ProxyError {
  readonly code = 'upstream_invalid_response';
  constructor(cause: unknown) {
    super('the sandbox sent an answer that is not valid HTTP', { cause });
  }
}

/** The app redirects every request to HTTPS at its own address, where nobody but its own machine could follow. */
export class AppForcesHttpsError extends ProxyError {
  readonly code = 'app_forces_https';
  constructor() {
    super('the app redirects to HTTPS on its own machine; set appHost "external" for this port');
  }
}

/** The connect clock or the first-byte clock ran out. */
export class UpstreamTimeoutError extends ProxyError {
  readonly code = 'upstream_timeout';
  constructor(readonly phase: 'connect' | 'first byte') {
    super(
      phase === 'connect'
        ? "the sandbox's host did not accept a connection in time"
        : 'the sandbox did not answer in time',
    );
  }
}

/** The response broke off after its head. There can be no second answer: the client's connection is cut. */
export class UpstreamTruncatedError extends Error {
  constructor(cause: unknown) {
    super('the response broke off', { cause });
  }
}
