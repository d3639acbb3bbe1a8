/** Where a link or a session is good. */
export interface SessionPlace {
  readonly sandboxId: string;
  readonly port: number;
}

/** What a browser is let in by. */
export interface Session extends SessionPlace {
  /** Both are subjects of changes of the scheme `session`. */
  readonly sessionId: string;
  readonly linkId: string;
  readonly teamId: string;
  /** Whether pages of other origins may show the sandbox in a frame. */
  readonly embed: boolean;
  /** Origins besides the sandbox's own whose pages may use it: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** A session just begun: the only moment at which its token is known. */
export interface BegunSession {
  /** Becomes the value of a cookie: letters, digits, `-` and `_`. */
  readonly token: string;
  readonly embed: boolean;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
}

/**
 * Preview links and the browser sessions that they begin. A link is `https://{port}-{id}.{domain}/?sandbox_link={token}`.
 * Without it: nobody gets in by a link, and there are no sessions.
 *
 * Errors: as for `SandboxDirectory`.
 */
export abstract class SessionStore {
  /** The form of link tokens and session tokens, without anchors; such a text never reaches a sandbox. */
  abstract readonly pattern: RegExp;
  /** The session of this token, if it is good at this place; null otherwise. Asked on a miss only. */
  abstract find(token: string, place: SessionPlace): Promise<Session | null>;
  /**
   * Exchanges the token of a link for a session; null where it is not good at this place (any more). A link that is good
   * for one browser only is not spent before somebody has confirmed it: a chat that shows a preview and a browser that
   * loads ahead open links as well.
   *
   * @param isConfirmed true once the visitor has pressed the button of the proxy's page
   * @returns `'confirm'` for a link that is good once and has not been confirmed: nothing is spent
   */
  abstract begin(
    linkToken: string,
    place: SessionPlace,
    isConfirmed: boolean,
  ): Promise<BegunSession | 'confirm' | null>;
  /**
   * The `linkId` that a token names, without asking whether the token is good; null where it names none. With it, a
   * browser that opens a link again keeps the session that it has by that link. Must not throw.
   */
  linkIdOf?(linkToken: string): string | null;
  /** Which of these, at most 500, are still good: one answer each, in their order. Past every cache. */
  abstract stillHold(sessions: readonly Session[]): Promise<readonly boolean[]>;
}
