import { ApiError } from './api-error.js';

/** The database could not be asked. Nothing follows from it about keys or sandboxes; it must not be cached. */
export class DirectoryUnavailableError extends ApiError {
  readonly code = 'directory_unavailable';
  constructor(cause: unknown) {
    super('the directory of keys and sandboxes is not available; try again shortly', { cause });
  }
}
