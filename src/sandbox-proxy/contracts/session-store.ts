import type { SessionEnd } from '../errors.js';

/** The port of a sandbox for which a link or a session is good. */
export interface SessionPlace {
  readonly sandboxId: string;
  readonly port: number;
}

/** What admits a browser. */
export interface Session extends SessionPlace {
  /** This and `linkId` are subjects of changes of the scheme `session`. */
  readonly sessionId: string;
  readonly linkId: string;
  readonly teamId: string;
  /** Whether pages of other origins may show the sandbox in a frame, or use its scripts and images. */
  readonly embed: boolean;
  /**
   * Ports of the sandbox whose pages may act with it, as pages of this port may: those of the link that began it. Absent:
   * this port alone.
   */
  readonly ports?: readonly number[];
  /** Origins besides the sandbox's own whose pages may change things with it: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** How its use prolongs it, where the store has `renew`; absent: it does not. */
  readonly renewal?: SessionRenewal;
}

/** A session that is used lasts for `ttlMs` from then on, but not beyond `untilMs`. */
export interface SessionRenewal {
  readonly ttlMs: number;
  /** Epoch milliseconds. */
  readonly untilMs: number;
}

/** What is known of a session or a link that has ended. Only for who shows the whole token, where it was good. */
export interface EndedSession {
  readonly ended: SessionEnd;
  /** As `embed` of a session: then the page that tells of the end may be framed too. Absent: false. */
  readonly embed?: boolean;
}

/** A new session. Only now is its token known. */
export interface BegunSession {
  /** Becomes the value of a cookie: letters, digits, `-`, `_`, `.` and `~`. */
  readonly token: string;
  readonly embed: boolean;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** For a link of several ports: a token for each of the others, which `begin` exchanges there, once and within a minute. */
  readonly others?: readonly { readonly port: number; readonly token: string }[];
}

/**
 * Preview links, and the browser sessions that they begin. A link is `https://{port}-{id}.{domain}/?sandbox_link={token}`.
 * Without it there are no links and no sessions.
 *
 * Errors as for `SandboxDirectory`.
 */
export abstract class SessionStore {
  /** The form of all tokens, without anchors. A text of this form never reaches a sandbox. */
  abstract readonly pattern: RegExp;
  /**
   * The session with this token, if it is good at this place; why it has ended, if that is known; otherwise null. Called only
   * when memory does not know.
   */
  abstract find(token: string, place: SessionPlace): Promise<Session | EndedSession | null>;
  /**
   * Exchanges the token of a link, or one of `others`, for a session; where the token is good at this place no longer, why, if that is known; null
   * where it is not. A link
   * for one browser is not spent before the visitor has confirmed it, because chats that show previews, and browsers
   * that load pages ahead, open links too.
   *
   * @param isConfirmed true once the visitor has pressed the button of the proxy's page
   * @returns `'confirm'` for a link for one browser that is good but not confirmed: nothing is spent
   * @throws LimitExceededError, also as a rejection, where more are being exchanged than there is room for
   */
  abstract begin(
    linkToken: string,
    place: SessionPlace,
    isConfirmed: boolean,
  ): Promise<BegunSession | EndedSession | 'confirm' | null>;
  /**
   * The `linkId` that a token names, whether or not the token is good; null if it names none. With this method, a
   * browser that opens a link again keeps the session that it has by that link. Must not throw.
   */
  linkIdOf?(linkToken: string): string | null;
  /**
   * Prolongs those of these sessions, at most 500, that have not ended: they are in use. When each ends now, epoch
   * milliseconds, in their order; null: it has ended. Called at most once for each quarter of a session's `ttlMs`, by each
   * process: the store should write no more often than that for all of them. A session is never prolonged after its link
   * was revoked, nor beyond `untilMs`.
   */
  renew?(sessions: readonly Session[]): Promise<readonly (number | null)[]>;
  /**
   * The same for a program that is no browser, and shows the token of a link itself, at any of the link's ports. With this method
   * the header `X-Sandbox-Link` admits. A link for one browser is for a browser.
   */
  findByLink?(linkToken: string, place: SessionPlace): Promise<Session | EndedSession | null>;
  /** Which of these, at most 500, are still good, or why not: one answer each, in their order. Past every cache. */
  abstract stillHold(sessions: readonly Session[]): Promise<readonly (boolean | SessionEnd)[]>;
}
