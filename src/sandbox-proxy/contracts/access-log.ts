/** What is told of a request when it has ended. */
export interface AccessRecord {
  readonly requestId: string;
  /** Null for a request that was not admitted. */
  readonly teamId: string | null;
  /** Null where the Host header was malformed. */
  readonly sandboxId: string | null;
  readonly port: number | null;
  readonly method: string;
  readonly isUpgrade: boolean;
  /** On the clock of `performance.now`, milliseconds. */
  readonly startedAtMs: number;
  /** From the start to the head of the agent's answer, milliseconds; -1 where none came. */
  readonly firstByteMs: number;
  /** 0: nothing was answered. */
  readonly status: number;
  /**
   * The code of the proxy's own answer, or why it cut; `agent;` and the code of an answer of the agent itself;
   * `client_closed`, `upstream_truncated`; null: nothing failed.
   */
  readonly errorCode: string | null;
  /** The system's name of the cause, e.g. `ECONNREFUSED`; null where there is none. */
  readonly failure: string | null;
  /** From the client, and to the client: bytes of the bodies, or through the tunnel. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Gets a record of every proxied request when it ends. Without one, Nest's logger writes a line for each. A record never
 * holds a path, query, header or body: every text in it is an id, a code, or a method that Node's parser knows.
 */
export abstract class AccessLog {
  /** Must return at once. What it throws is ignored. */
  abstract record(record: AccessRecord): void;
}
