import { Client, type ClientConfig } from 'pg';

/**
 * A connection that closes itself when an answer does not come within `query_timeout`. By itself pg reports the timeout
 * and gives the same connection, which is still waiting, to the next caller: after a network failure without a reset,
 * every query would time out until the kernel gives up (15 minutes).
 */
export class ImpatientClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    const query = this.query.bind(this) as (...parameters: unknown[]) => unknown;
    const watched = (...parameters: unknown[]): unknown => {
      const result = query(...parameters);
      if (result instanceof Promise) result.catch((error: unknown) => this.closeIfLate(error));
      return result;
    };
    Object.defineProperty(this, 'query', { value: watched });
  }

  private closeIfLate(error: unknown): void {
    if (error instanceof Error && error.message === 'Query read timeout') {
      this.connection.stream.destroy();
    }
  }
}
