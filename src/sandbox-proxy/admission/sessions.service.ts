import { createHash } from 'node:crypto';
import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import {
  type BegunSession,
  type EndedSession,
  type Session,
  type SessionPlace,
  type SessionRenewal,
  SessionStore,
} from '../contracts/session-store.js';
import { DirectoryUnavailableError, LimitExceededError, type SessionEnd } from '../errors.js';
import { isAdmissionEnd } from '../contracts/credential-scheme.js';
import { AnswerCache, answerInTime } from '../memory/answer-cache.js';
import { MemoryAnswers } from '../memory/memory-answers.js';
import { ExchangeTurns } from './exchange-turns.js';
import { kept, type KeptSession, SessionRenewals } from './session-renewals.js';
import { StrangerBudget } from './stranger-budget.js';
import { wholeText } from './whole-text.js';

/** The name of the scheme, also in changes. */
export const SESSION_SCHEME = 'session';
/** How long a session may be served from memory, milliseconds. */
const TTL_MS = 120_000;
const MAX_SESSIONS = 10_000;
/** Sessions whose holders are known although they are not in memory any more; a digest each. */
const MAX_PROVEN = 50_000;
/** Most questions about sessions under way at a time. */
const MAX_FLIGHTS = 10_000;

/**
 * From a session's token to the session, by memory where possible; from a link's token to a session, always by the
 * store.
 */
@Injectable()
export class SessionsService {
  /** By `{sandboxId} {port} {token}`: a token is looked up for the port at which it is used, and is good nowhere else. */
  private readonly sessions: AnswerCache<KeptSession | EndedSession>;
  private readonly renewals: SessionRenewals | null;
  private readonly logger = new Logger('SandboxProxy');
  private readonly form: RegExp | null;
  private readonly turns: ExchangeTurns;
  /**
   * Digests of the keys by which a session was found or begun. Whoever shows such a one is no stranger, however many
   * strangers share the address.
   */
  private readonly proven = new LRUCache<string, true>({ max: MAX_PROVEN });

  constructor(
    @Optional() @Inject(SessionStore) private readonly store: SessionStore | null,
    feed: ChangeFeed,
    private readonly strangers: StrangerBudget,
  ) {
    this.turns = new ExchangeTurns(strangers);
    this.renewals =
      store?.renew === undefined
        ? null
        : new SessionRenewals(store, (error) =>
            this.logger.warn(`sessions were not renewed (${String(error)})`),
          );
    this.form = store === null ? null : wholeText(store.pattern);
    this.sessions = new AnswerCache({
      memory: new MemoryAnswers(MAX_SESSIONS, topicsOfSession),
      feed,
      ttlMs: TTL_MS,
      maxFlights: MAX_FLIGHTS,
      isAnswer: isSessionOrEnded,
      isNegative: isEnded,
    });
  }

  /** The form of tokens; null if the application has no sessions. */
  get pattern(): RegExp | null {
    return this.store?.pattern ?? null;
  }

  /**
   * The session of a token at that place; why it has ended, if whoever shows it may know; otherwise null.
   *
   * @throws DirectoryUnavailableError, TooManyLookupsError, also as rejections
   */
  find(
    token: string,
    { sandboxId, port }: SessionPlace,
    client: string,
  ): MaybePromise<KeptSession | EndedSession | null> {
    const { store } = this;
    if (store === null || !this.hasForm(token)) return null;
    const key = keyOf(token, sandboxId, port);
    return this.findBy(key, { sandboxId, port }, client, (place) => store.find(token, place));
  }

  /** The same for the token of a link itself, which a program shows. */
  findByLink(
    token: string,
    { sandboxId, port }: SessionPlace,
    client: string,
  ): MaybePromise<KeptSession | EndedSession | null> {
    const { store } = this;
    if (store?.findByLink === undefined || !this.hasForm(token)) return null;
    const key = `${keyOf(token, sandboxId, port)} itself`;
    return this.findBy(
      key,
      { sandboxId, port },
      client,
      async (place) => store.findByLink?.(token, place) ?? null,
    );
  }

  private findBy(
    key: string,
    { sandboxId, port }: SessionPlace,
    client: string,
    askStore: Ask,
  ): MaybePromise<KeptSession | EndedSession | null> {
    const ask = (): Promise<KeptSession | EndedSession | null> =>
      this.lookUp(key, client, () => askStore({ sandboxId, port }));
    const pay = (): void => this.payFor(key, client);
    let found = this.sessions.get(key, ask, pay);
    if (mayBeRenewed(found)) {
      this.sessions.delete(key);
      found = this.sessions.get(key, ask, pay);
    }
    return whenReady(found, (session) => this.ifGoodAt(session, sandboxId, port));
  }

  /** Notes that a session is in use. */
  noteUse(session: KeptSession): void {
    this.renewals?.note(session);
  }

  private ifGoodAt(
    found: KeptSession | EndedSession | null,
    sandboxId: string,
    port: number,
  ): KeptSession | EndedSession | null {
    if (found === null || isEnded(found)) return found;
    if (found.sandboxId !== sandboxId || found.port !== port) return null;
    if (found.expiresAtMs <= Date.now()) return EXPIRED;
    this.noteUse(found);
    return found;
  }

  /** @throws TooManyLookupsError where the client would have to pay, and cannot */
  private payFor(key: string, client: string): void {
    if (!this.proven.has(digestOf(key))) this.strangers.reserve(client);
  }

  /** Asks the store, once `payFor` has let it. */
  private async lookUp(
    key: string,
    client: string,
    ask: () => ReturnType<Ask>,
  ): Promise<KeptSession | EndedSession | null> {
    const digest = digestOf(key);
    const found = await (this.proven.has(digest) ? ask() : this.strangers.ask(client, ask));
    // a session that has ended proves nothing any more: the next question about it is a stranger's
    if (!isSession(found)) {
      this.proven.delete(digest);
      return found;
    }
    this.proven.set(digest, true);
    return kept(found);
  }

  /** True for a text with the form of a token, whether or not there is such a token. */
  hasForm(token: string): boolean {
    return this.form?.test(token) === true;
  }

  /** Whether the session was begun by the link that this token names, if the store can tell. */
  isBegunBy(linkToken: string, { linkId }: Session): boolean {
    return this.store?.linkIdOf?.(linkToken) === linkId;
  }

  /**
   * Exchanges a link's token for a session; null if the token is not good at that place, or why it is so no longer;
   * `'confirm'` if it is good for one browser only and `isConfirmed` is false.
   *
   * @throws DirectoryUnavailableError when the store cannot say; TooManyLookupsError when it waits too long for its
   *   turn; LimitExceededError when the store says so
   */
  async begin(
    token: string,
    place: SessionPlace,
    client: string,
    isConfirmed: boolean,
  ): Promise<BegunSession | EndedSession | 'confirm' | null> {
    const { store } = this;
    if (store === null || !this.hasForm(token)) return null;
    return this.turns.take(client, async () => {
      try {
        const begun = await answerInTime(() => store.begin(token, place, isConfirmed));
        if (begun === null || (begun === 'confirm' && !isConfirmed) || isEnded(begun)) return begun;
        if (!isBegunSession(begun)) throw new TypeError('the answer has not its shape');
        this.proven.set(digestOf(keyOf(begun.token, place.sandboxId, place.port)), true);
        return begun;
      } catch (error) {
        throw error instanceof LimitExceededError ? error : new DirectoryUnavailableError(error);
      }
    });
  }

  /** Which of these are still good, or why not; always asks the store. */
  async stillHold(sessions: readonly Session[]): Promise<readonly (boolean | SessionEnd)[]> {
    const { store } = this;
    return store === null ? sessions.map(() => false) : store.stillHold(sessions);
  }

  /** Forgets what a change concerns. */
  forget(change: Change): void {
    this.sessions.forget(change);
  }
}

/** The changes that a session rests on, besides those of its sandbox and its team. */
export function changesOfSession({ sessionId, linkId }: Session): Change[] {
  return [linkId, sessionId].map((subject) => ({ kind: 'credential', scheme: SESSION_SCHEME, subject }));
}

/** Asks the store. */
type Ask = (place: SessionPlace) => Promise<Session | EndedSession | null>;

function keyOf(token: string, sandboxId: string, port: number): string {
  return `${sandboxId} ${port} ${token}`;
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64');
}

function topicsOfSession(key: string, session: KeptSession | EndedSession | null): string[] {
  const sandbox = topicOf({ kind: 'sandbox', sandboxId: key.slice(0, key.indexOf(' ')) });
  if (session === null || isEnded(session)) return [sandbox];
  const team = topicOf({ kind: 'team', teamId: session.teamId });
  return [sandbox, team, ...changesOfSession(session).map(topicOf)];
}

const EXPIRED: EndedSession = { ended: 'expired' };

/** Whether a session that is over by what memory knows may have been prolonged by another process. */
function mayBeRenewed(found: MaybePromise<KeptSession | EndedSession | null>): boolean {
  if (found === null || found instanceof Promise || isEnded(found) || found.renewal === undefined)
    return false;
  const now = Date.now();
  return found.expiresAtMs <= now && now < found.renewal.untilMs;
}

/** True for what a store tells of a session or a link that has ended. */
export function isEnded(value: unknown): value is EndedSession {
  return typeof value === 'object' && value !== null && 'ended' in value && isAdmissionEnd(value.ended);
}

function isSessionOrEnded(value: unknown): value is KeptSession | EndedSession {
  return isEnded(value) || isSession(value);
}

function isSession(value: unknown): value is Session {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  const { sessionId, linkId, teamId, sandboxId, port, embed, allowedOrigins, expiresAtMs, renewal } = fields;
  return (
    [sessionId, linkId, teamId, sandboxId].every((id) => typeof id === 'string') &&
    typeof port === 'number' &&
    typeof embed === 'boolean' &&
    Array.isArray(allowedOrigins) &&
    Number.isFinite(expiresAtMs) &&
    (renewal === undefined || isRenewal(renewal))
  );
}

function isRenewal(value: unknown): value is SessionRenewal {
  if (typeof value !== 'object' || value === null) return false;
  const { ttlMs, untilMs } = value as Record<string, unknown>;
  return Number.isFinite(ttlMs) && (ttlMs as number) > 0 && Number.isFinite(untilMs);
}

/** The token becomes the value of a cookie, so it must hold no character that would end one. */
function isBegunSession(value: unknown): value is BegunSession {
  if (typeof value !== 'object' || value === null) return false;
  const { token, embed, expiresAtMs, others = [] } = value as Record<string, unknown>;
  return (
    isToken(token) &&
    typeof embed === 'boolean' &&
    Number.isFinite(expiresAtMs) &&
    Array.isArray(others) &&
    others.every((other: unknown) => isOther(other))
  );
}

/** `{ port, token }` */
function isOther(value: unknown): boolean {
  const { port, token } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(port) && isToken(token);
}

function isToken(value: unknown): boolean {
  return typeof value === 'string' && /^[\w.~-]+$/.test(value);
}
