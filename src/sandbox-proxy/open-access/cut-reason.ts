import type { ProxyError } from '../errors.js';
import { DirectoryUnavailableError } from '../errors.js';
import { REVOKED, UnauthorizedError } from '../errors.js';

/** Why something open is cut, as the log has it: what it rests on is gone, or the database could not say whether it is. */
export type CutReason = 'revoked' | 'directory_unavailable';

/** What a request is answered that is cut before its answer has begun. */
export function cutError(reason: CutReason): ProxyError {
  return reason === 'revoked'
    ? new UnauthorizedError(REVOKED)
    : new DirectoryUnavailableError(new Error('access could not be checked'));
}
