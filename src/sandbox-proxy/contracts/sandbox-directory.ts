/** Where a sandbox is, and whether it runs. */
export interface SandboxLocation {
  /** Requests are forwarded only if it is `running`; any other text is shown to the client, e.g. `paused`. */
  readonly status: string;
  /** Address of the agent on its host: `10.0.0.7:5000`, `agent-1.internal:5000` or an `http(s)://` URL; `''`: not known. */
  readonly address: string;
  /** The id of the host, as in a `Change` of kind `host`; null: it is on none. */
  readonly hostId: string | null;
  /** True where it does not run only because it was idle, and would run again for a request; absent: false. */
  readonly isAsleep?: boolean;
}

/** One question to the directory. */
export interface SandboxOfTeam {
  readonly sandboxId: string;
  readonly teamId: string;
}

/**
 * The application's knowledge of its sandboxes. Required.
 *
 * Errors: if a method throws, rejects, does not answer within 10 s, or answers something of another shape, the request is
 * answered 503 `directory_unavailable`. Such a failure never counts as "there is no such sandbox" and is never remembered.
 */
export abstract class SandboxDirectory {
  /**
   * The sandbox, if there is one with that id and it belongs to that team; otherwise null. A caller must not be able to
   * tell the two cases of null apart. Called only when the route cache does not know.
   */
  abstract locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null>;
  /** The same for many (at most 500): one answer for each pair, in the same order. Called about what is open. */
  abstract locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]>;
}
