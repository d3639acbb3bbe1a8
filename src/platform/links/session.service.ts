import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ChangeFeed, type FeedEvent } from '../database/change-feed.js';
import { FeedCache } from '../database/feed-cache.js';
import { DirectoryUnavailableError } from '../../sandbox-proxy/index.js';
import { isTokenOf, readToken, type TokenPlace } from './access-token.js';
import { type BegunSession, type Session, SessionRepository } from './session.repository.js';

/** How long a session may be served from memory, milliseconds. */
const TTL_MS = 120_000;
const MAX_SESSIONS = 10_000;
/** Cookies that have been checked against their hash. */
const MAX_CHECKED = 10_000;
/** Exchanges under way at a time: each is a transaction, and anyone can make tokens up. */
const MAX_EXCHANGES = 100;

/** Cookie -> session, from memory where possible; link token -> session, by the database alone. */
@Injectable()
export class SessionService implements OnApplicationShutdown {
  readonly #cache: FeedCache<Session>;
  /** Cookie -> the session that it was found to belong to: hashing it each time would be a tenth of a request. */
  readonly #checked = new LRUCache<string, Session>({ max: MAX_CHECKED });
  #exchanges = 0;
  readonly #unsubscribe: () => void;

  constructor(
    private readonly repository: SessionRepository,
    feed: ChangeFeed,
  ) {
    this.#cache = new FeedCache({ feed, clock: () => performance.now(), ttlMs: TTL_MS, max: MAX_SESSIONS });
    this.#unsubscribe = feed.subscribe((event) => this.#evict(event));
  }

  /**
   * The session behind a cookie at that place, or null. Synchronous where memory has the answer.
   *
   * @param beforeAsking called where the database has to be asked; may refuse by throwing
   * @throws DirectoryUnavailableError (also as a rejection) when the database cannot say
   */
  find(
    cookie: string,
    place: TokenPlace,
    beforeAsking?: () => void,
  ): Session | null | Promise<Session | null> {
    const presented = readToken('session', cookie);
    if (presented === null) return null;
    const check = (session: Session | null): Session | null => {
      if (session === null || session.expiresAtMs <= Date.now()) return null;
      if (session.sandboxId !== place.sandboxId || session.port !== place.port) return null;
      if (this.#checked.get(cookie) === session) return session;
      if (!isTokenOf('session', presented, place, session.tokenHash)) return null;
      this.#checked.set(cookie, session);
      return session;
    };
    const found = this.#cache.get(presented.id, () => this.repository.find(presented.id), beforeAsking);
    return found instanceof Promise ? found.then(check) : check(found);
  }

  /**
   * Exchanges a link's token for a session; null where it is not good at that place (any more).
   *
   * @throws DirectoryUnavailableError when the database fails, or too many are under way
   */
  async begin(token: string, place: TokenPlace): Promise<BegunSession | null> {
    const presented = readToken('link', token);
    if (presented === null) return null;
    if (this.#exchanges >= MAX_EXCHANGES)
      throw new DirectoryUnavailableError(new Error('too many exchanges under way'));
    this.#exchanges += 1;
    try {
      return await this.repository.begin(presented, place);
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    } finally {
      this.#exchanges -= 1;
    }
  }

  /** Of these sessions, those that are still there; asked of the database, past every cache. */
  remaining(ids: readonly string[]): Promise<Set<string>> {
    return this.repository.remaining(ids);
  }

  /** Forgets the sessions of a link that was just revoked here, without waiting for the database to say so. */
  forgetLink(id: string): void {
    this.#cache.forgetWhere(({ linkId }) => linkId === id);
  }

  onApplicationShutdown(): void {
    this.#unsubscribe();
  }

  #evict(event: FeedEvent): void {
    if (event.table === 'sandbox_links') this.forgetLink(event.id);
    else if (event.table === 'sandboxes') this.#cache.forgetWhere(({ sandboxId }) => sandboxId === event.id);
    else if (event.table === 'teams') this.#cache.forgetWhere(({ teamId }) => teamId === event.id);
    else if (event.table === '*') this.#cache.clear();
  }
}
