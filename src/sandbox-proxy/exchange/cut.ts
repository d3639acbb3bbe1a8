import type { AdmissionEnd } from '../contracts/credential-scheme.js';
import {
  CrossSiteRequestError,
  DirectoryUnavailableError,
  HostUnavailableError,
  type ProxyError,
  REVOKED,
  SandboxNotFoundError,
  SandboxNotRunningError,
  SessionEndedError,
  ShuttingDownError,
  UnauthorizedError,
} from '../errors.js';

/** Why a WebSocket is closed from here (RFC 6455 7.4.1). */
export interface WebSocketClose {
  readonly code: 1001 | 1008 | 1012 | 1013;
  /** At most 123 bytes of ASCII. */
  readonly reason: string;
}

/** Why, and how, something open is ended before its time. */
export interface Cut {
  /** The answer to a request whose answer has not begun. */
  readonly error: ProxyError;
  /** How a WebSocket is closed. */
  readonly close: WebSocketClose;
  /** `errorCode` of the record in the log. */
  readonly logCode: string;
}

/** The application is about to stop. */
export const RESTARTING: WebSocketClose = {
  code: 1012,
  reason: 'the server is about to stop; connect again',
};

/** The grace for requests under way is over. */
export function serverStops(): Cut {
  const error = new ShuttingDownError();
  return { error, close: RESTARTING, logCode: error.code };
}

/** How a WebSocket is closed that loses its admission. */
const CLOSE_REASONS: Readonly<Record<AdmissionEnd, string>> = {
  expired: 'access has expired',
  revoked: REVOKED,
  used: 'the link has been used',
  paused: 'the sandbox was paused or moved',
  replaced: 'another session took its place',
  origin: 'no longer allowed for this origin',
};

/** The admission no longer holds. @param endedCode of its scheme */
export function accessEnded(end: AdmissionEnd, endedCode: 'unauthorized' | 'session_ended'): Cut {
  const reason = CLOSE_REASONS[end];
  return { error: errorOf(end, endedCode, reason), close: { code: 1008, reason }, logCode: end };
}

function errorOf(end: AdmissionEnd, endedCode: 'unauthorized' | 'session_ended', reason: string): ProxyError {
  if (end === 'origin') return new CrossSiteRequestError(reason);
  return endedCode === 'unauthorized' ? new UnauthorizedError(reason) : new SessionEndedError(end);
}

/** The sandbox was deleted, or given to another team. */
export function sandboxGone(): Cut {
  const error = new SandboxNotFoundError();
  return { error, close: { code: 1008, reason: 'the sandbox is no longer there' }, logCode: error.code };
}

/** The sandbox does not run any more. @param status e.g. `paused` */
export function sandboxStopped(status: string): Cut {
  const error = new SandboxNotRunningError(status);
  return { error, close: { code: 1001, reason: 'the sandbox is not running' }, logCode: error.code };
}

/** The sandbox does not run because it was idle, and wakes for a request. */
export function sandboxAsleep(status: string): Cut {
  const error = new SandboxNotRunningError(status);
  return { error, close: { code: 1012, reason: 'the sandbox sleeps; connect again' }, logCode: error.code };
}

/** The sandbox runs on another host now. */
export function sandboxMoved(): Cut {
  const error = new HostUnavailableError();
  return { error, close: { code: 1001, reason: 'the sandbox has moved; connect again' }, logCode: 'moved' };
}

/** No store could say whether the admission still holds. */
export function accessUnknown(): Cut {
  const error = new DirectoryUnavailableError(new Error('access could not be checked'));
  return {
    error,
    close: { code: 1013, reason: 'access could not be checked; try again' },
    logCode: error.code,
  };
}
