import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type LoggerService,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type Change, ChangeFeed } from '../../sandbox-proxy/index.js';
import { CHANNEL, COUNT_TRIGGERS, TRIGGERS } from '../database/feed-triggers.js';
import { reasonOf } from '../errors/reason-of.js';
import { FeedConnection } from './feed-connection.js';
import { readFeedMessage } from './feed-message.js';

/** DI token of `FeedOptions`. */
export const FEED_OPTIONS = Symbol('FEED_OPTIONS');

export interface FeedOptions {
  /** URL of the database that everything is written to, perhaps through a pooler. */
  readonly databaseUrl: string;
  /** URL of the same database without a pooler: one in transaction mode passes no notifications on. */
  readonly feedUrl: string;
  /** Time between two proofs that the feed hears, milliseconds. */
  readonly heartbeatMs: number;
  /** How long connecting, or one proof, may take before the feed counts as down, milliseconds. */
  readonly timeoutMs: number;
  /** Absent: Nest's. */
  readonly logger?: LoggerService;
}

/**
 * `live`: the feed hears its own messages; `down`: there is no connection; `absent`: the database has no triggers;
 * `deaf`: there is a connection, but nothing is heard on it.
 */
export type FeedState = 'live' | 'down' | 'absent' | 'deaf';

const DEAF =
  'the change feed cannot hear: is a pooler in transaction mode in between? set FEED_DATABASE_URL to a direct connection';
const ABSENT =
  'the database has no change triggers: nothing that is remembered is believed for more than 5 seconds';
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/**
 * `ChangeFeed` by PostgreSQL's notifications. One connection listens (`LISTEN`). With every heartbeat, another one
 * sends a message on the same channel, and the feed is live for as long as it hears that. It reconnects for as long as
 * the program runs.
 *
 * The second connection is needed because PostgreSQL gives a session its own notifications together with the answer to
 * its own statement: those arrive even through a pooler, and prove nothing.
 */
@Injectable()
export class PostgresChangeFeed extends ChangeFeed implements OnModuleInit, OnApplicationShutdown {
  private readonly logger: LoggerService;
  private readonly listeners = new Set<(change: Change) => void>();
  private currentState: FeedState = 'down';
  private provenAt = 0;
  private connection: FeedConnection | null = null;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private isStopped = false;
  private hasReportedAbsence = false;

  constructor(@Inject(FEED_OPTIONS) private readonly options: FeedOptions) {
    super();
    this.logger = options.logger ?? new Logger(PostgresChangeFeed.name);
  }

  get isLive(): boolean {
    return this.currentState === 'live';
  }

  get provenAtMs(): number {
    return this.provenAt;
  }

  /** `isLive`, with the reason if it is false. */
  get state(): FeedState {
    return this.currentState;
  }

  subscribe(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Waits for the first attempt, so that a started program has its feed; a failure is retried in the background. */
  async onModuleInit(): Promise<void> {
    await this.connect();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.currentState = 'down';
    clearTimeout(this.timer);
    this.listeners.clear();
    const { connection } = this;
    this.connection = null;
    await connection?.close();
  }

  private async connect(): Promise<void> {
    const connection = new FeedConnection(this.options, {
      onLost: (error) => this.lose(connection, error),
      onMessage: (payload) => this.hear(connection, payload),
    });
    this.connection = connection;
    try {
      await connection.open(CHANNEL, Date.now() + this.options.timeoutMs);
      await this.check(connection);
    } catch (error) {
      this.lose(connection, error);
    }
  }

  /** Counts the triggers, which shows that the connection works, then checks that it hears; again after each heartbeat. */
  private async check(connection: FeedConnection): Promise<void> {
    const askedAtMs = Date.now();
    const deadlineMs = askedAtMs + this.options.timeoutMs;
    const count = await connection.count(COUNT_TRIGGERS, TRIGGERS, deadlineMs);
    const hasTriggers = count === TRIGGERS.length;
    const hears = hasTriggers && (await connection.hearsItself(CHANNEL, randomUUID(), deadlineMs));
    if (connection !== this.connection) return;
    this.failures = 0;
    if (hears) this.provenAt = askedAtMs;
    this.enter(hears ? 'live' : hasTriggers ? 'deaf' : 'absent');
    const nextInMs = Math.max(0, askedAtMs + this.options.heartbeatMs - Date.now());
    this.timer = setTimeout(() => {
      this.check(connection).catch((error: unknown) => this.lose(connection, error));
    }, nextInMs);
    this.timer.unref();
  }

  private enter(state: 'live' | 'absent' | 'deaf'): void {
    if (state === this.currentState) return;
    this.currentState = state;
    if (state === 'deaf') this.logger.warn(DEAF);
    if (state === 'absent' && !this.hasReportedAbsence) {
      this.hasReportedAbsence = true;
      this.logger.warn(ABSENT);
    }
    if (state !== 'live') return;
    this.logger.log('change feed is live');
    // what happened before this moment may not have been heard
    this.tell({ kind: 'everything' });
  }

  private hear(connection: FeedConnection, payload: string | undefined): void {
    if (connection !== this.connection) return;
    const message = readFeedMessage(payload);
    if ('proof' in message) connection.heard(message.proof);
    else this.tell(message.change);
  }

  private lose(connection: FeedConnection, error: unknown): void {
    if (connection !== this.connection) return;
    this.connection = null;
    this.currentState = 'down';
    clearTimeout(this.timer);
    connection.destroy();
    if (this.isStopped) return;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.failures);
    const delayMs = Math.round(ceiling / 2 + (Math.random() * ceiling) / 2);
    this.failures += 1;
    this.logger.warn(`change feed is down, trying again in ${delayMs} ms: ${reasonOf(error)}`);
    this.timer = setTimeout(() => void this.connect(), delayMs).unref();
  }

  private tell(change: Change): void {
    for (const listener of this.listeners) {
      try {
        listener(change);
      } catch (error) {
        this.logger.error(`a listener of the change feed failed: ${reasonOf(error)}`);
      }
    }
  }
}
