/** What is told of a request when it has ended. */
export interface AccessRecord {
  readonly requestId: string;
  /** Null until admitted. */
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
  /** 0 where nothing was answered. */
  readonly status: number;
  /** The proxy's own code where it answered or cut; `client_closed`, `upstream_truncated`; null: nothing failed. */
  readonly errorCode: string | null;
  /** The system's name of what failed below `errorCode`, e.g. `ECONNREFUSED`. */
  readonly failure: string | null;
  /** Of the body, or through the tunnel: from the client, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/**
 * Told of every proxied request when it ends. Without one: a line of Nest's logger each. No path, query, header or body
 * is ever in a record: every text is an id, a code or a method that Node's parser knows.
 */
export abstract class AccessLog {
  /** Must return at once; what it throws is lost. */
  abstract record(record: AccessRecord): void;
}
