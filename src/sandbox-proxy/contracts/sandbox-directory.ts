/** Where a sandbox is, and whether it runs. */
export interface SandboxLocation {
  /** Only `running` is forwarded to; any other text is told to the client as it is, e.g. `paused`. */
  readonly status: string;
  /** Of the agent on its host: `10.0.0.7:5000`, `agent-1.internal:5000` or an `http(s)://` URL; `''`: not known. */
  readonly address: string;
  /** The host, as `Change` of kind `host` names it; null where it is on none. */
  readonly hostId: string | null;
  /** True where it does not run because it was idle, and would run again if somebody came; absent: false. */
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
 * Errors: whatever is thrown, rejected with, not answered within 10 s, or not of the shape above makes the request a
 * 503 `directory_unavailable`; it is never taken for "there is none" and never remembered.
 */
export abstract class SandboxDirectory {
  /**
   * The sandbox, if there is one of that id and it belongs to that team; null otherwise. The two cases of null must
   * stay indistinguishable. Asked on a miss of the route cache only.
   */
  abstract locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null>;
  /** The same for many at once, at most 500: one answer for each pair, in their order. Asked about what is open. */
  abstract locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]>;
}
