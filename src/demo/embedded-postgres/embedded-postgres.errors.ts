/**
 * The embedded PostgreSQL cannot be used. The message is one line for the person at the terminal, which says what is
 * wrong and what to do about it.
 */
export class EmbeddedPostgresError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EmbeddedPostgresError';
  }
}

/** The system's code for what happened, e.g. `EACCES`, or the message if there is no code. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? error.message;
}
