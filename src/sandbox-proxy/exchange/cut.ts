import {
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

/** How something open is ended before its time. */
export interface Cut {
  /** What a request is answered whose answer has not begun. */
  readonly error: ProxyError;
  /** What a WebSocket is told. */
  readonly close: WebSocketClose;
  /** What the log calls it. */
  readonly logCode: string;
}

/** The application goes down. */
export const GOING_AWAY: WebSocketClose = { code: 1001, reason: 'the server is about to stop' };

/** The time that requests under way had is over. */
export function serverStops(): Cut {
  const error = new ShuttingDownError();
  return { error, close: GOING_AWAY, logCode: error.code };
}

/** The credential no longer admits. */
export function accessRevoked(endedCode: 'unauthorized' | 'session_ended'): Cut {
  const error =
    endedCode === 'unauthorized' ? new UnauthorizedError(REVOKED) : new SessionEndedError('revoked');
  return { error, close: { code: 1008, reason: REVOKED }, logCode: 'revoked' };
}

/** The credential's time is over. */
export function accessExpired(): Cut {
  const error = new SessionEndedError('expired');
  return { error, close: { code: 1008, reason: 'access has expired' }, logCode: 'expired' };
}

/** Deleted, or given to another team. */
export function sandboxGone(): Cut {
  const error = new SandboxNotFoundError();
  return { error, close: { code: 1008, reason: 'the sandbox is no longer there' }, logCode: error.code };
}

/** @param status e.g. `paused` */
export function sandboxStopped(status: string): Cut {
  const error = new SandboxNotRunningError(status);
  return { error, close: { code: 1001, reason: 'the sandbox is not running' }, logCode: error.code };
}

/** It does not run because it was idle, and wakes when somebody comes. */
export function sandboxAsleep(status: string): Cut {
  const error = new SandboxNotRunningError(status);
  return { error, close: { code: 1012, reason: 'the sandbox sleeps; connect again' }, logCode: error.code };
}

/** It runs on another host now. */
export function sandboxMoved(): Cut {
  const error = new HostUnavailableError();
  return { error, close: { code: 1001, reason: 'the sandbox has moved; connect again' }, logCode: 'moved' };
}

/** Nobody could say whether the permission still holds. */
export function accessUnknown(): Cut {
  const error = new DirectoryUnavailableError(new Error('access could not be checked'));
  return {
    error,
    close: { code: 1013, reason: 'access could not be checked; try again' },
    logCode: error.code,
  };
}
