import type { ErrorCode } from './error-status.js';

/** A value that an error may show its reader beside code and message, e.g. `{ status: 'paused' }`. */
export type ErrorFields = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * Base of every error a caller can act on. It carries a stable `code` and no HTTP;
 * `error-status.ts` says which status a code gets. The message is shown to the caller as it is:
 * it must hold no internal address and no unescaped client input.
 */
export abstract class ApiError extends Error {
  abstract readonly code: ErrorCode;
  /** Further members of the JSON error object. */
  readonly fields: ErrorFields;

  constructor(message: string, options?: { cause?: unknown; fields?: ErrorFields }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.fields = options?.fields ?? {};
  }
}
