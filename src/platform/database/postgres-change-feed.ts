import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { LOGGER } from '../../program/logging/logger.js';
import { ChangeFeed, type FeedEvent, type FeedState } from './change-feed.js';
import { CHANNEL, COUNT_TRIGGERS, parseFeedMessage, TRIGGERS } from './feed-message.js';

/** DI token of `ChangeFeedOptions`. */
export const CHANGE_FEED_OPTIONS = Symbol('CHANGE_FEED_OPTIONS');

export interface ChangeFeedOptions {
  readonly url: string;
  /** Between two questions whether the connection lives and the triggers are there, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long connecting or one answer may take before the connection counts as dead, in milliseconds. */
  readonly timeoutMs: number;
}

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/**
 * The change feed over one dedicated connection that does `LISTEN`. It reconnects for as long as the
 * program runs, tells `{ table: '*' }` after every gap, and is live only while all triggers are enabled.
 */
@Injectable()
export class PostgresChangeFeed extends ChangeFeed implements OnModuleInit, OnApplicationShutdown {
  readonly #listeners = new Set<(event: FeedEvent) => void>();
  #state: FeedState = 'down';
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;
  #hasReportedAbsence = false;

  constructor(
    @Inject(CHANGE_FEED_OPTIONS) private readonly options: ChangeFeedOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    super();
  }

  get isLive(): boolean {
    return this.#state === 'live';
  }

  override get state(): FeedState {
    return this.#state;
  }

  subscribe(listener: (event: FeedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Waits for the first attempt, so that a started program has its feed; a failure is retried in the background. */
  async onModuleInit(): Promise<void> {
    await this.#connect();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#state = 'down';
    clearTimeout(this.#timer);
    this.#listeners.clear();
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new Client({
      connectionString: this.options.url,
      connectionTimeoutMillis: this.options.timeoutMs,
      query_timeout: this.options.timeoutMs,
      application_name: 'sandbox-control-plane change feed',
      keepAlive: true,
    });
    this.#client = client;
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, new Error('the connection ended')));
    client.on('notification', ({ payload }) => this.#tell(parseFeedMessage(payload)));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      await this.#check(client);
    } catch (error) {
      this.#lost(client, error);
    }
  }

  /** Asks for the triggers, which is also the proof that the connection lives; then again after a heartbeat. */
  async #check(client: Client): Promise<void> {
    const { rows } = await client.query<{ count: number }>(COUNT_TRIGGERS, [TRIGGERS]);
    if (client !== this.#client) return;
    this.#enter(rows[0]?.count === TRIGGERS.length ? 'live' : 'absent');
    this.#failures = 0;
    this.#timer = setTimeout(() => {
      this.#check(client).catch((error: unknown) => this.#lost(client, error));
    }, this.options.heartbeatMs);
    this.#timer.unref();
  }

  #enter(state: 'live' | 'absent'): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state === 'live') {
      this.logger.info('change feed is live');
    } else if (!this.#hasReportedAbsence) {
      this.#hasReportedAbsence = true;
      this.logger.warn('the database has no change triggers: cached entries live a few seconds only');
    }
    // what happened before this moment was not heard
    this.#tell({ table: '*' });
  }

  #lost(client: Client, error: unknown): void {
    if (client !== this.#client) return;
    this.#client = null;
    this.#state = 'down';
    clearTimeout(this.#timer);
    // destroys the socket as well where the server does not answer any more
    client.connection.stream.destroy();
    if (this.#stopped) return;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures);
    const delayMs = ceiling / 2 + (Math.random() * ceiling) / 2;
    this.#failures += 1;
    this.logger.warn({ err: error, retryInMs: Math.round(delayMs) }, 'change feed is down');
    this.#timer = setTimeout(() => void this.#connect(), delayMs);
    this.#timer.unref();
  }

  #tell(event: FeedEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.logger.error({ err: error }, 'a listener of the change feed failed');
      }
    }
  }
}
