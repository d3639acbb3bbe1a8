import { DirectoryUnavailableError } from '../errors.js';
import type { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { ChangeTimes } from './change-times.js';

/** How long an answer that says "no" is believed, milliseconds: long enough to blunt a flood. */
const NEGATIVE_TTL_MS = 2_000;
/** The same while no live feed would tell that it has become a "yes". */
const NEGATIVE_TTL_WITHOUT_FEED_MS = 500;
/** How long any answer is believed after the feed last proved itself, milliseconds. */
export const TTL_WITHOUT_FEED_MS = 5_000;
/** How long a store may take to answer, milliseconds. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** What a store of the application has answered. */
export interface Answer<Value> {
  /** Null: there is none. */
  readonly value: Value | null;
  /** When the store was asked, epoch milliseconds: a later commit may not be in the answer. */
  readonly askedAtMs: number;
}

/** Where answers are kept. */
export interface AnswerMemory<Value> {
  get(key: string): MaybePromise<Answer<Value> | undefined>;
  set(key: string, answer: Answer<Value>, ttlMs: number): void;
  delete(key: string): void;
  /** Deletes, by index, the answers that rest on this topic. */
  deleteTopic(topic: string): void;
  clear(): void;
  /** The topics (`topicOf`) that an answer rests on; of null, those that the key alone tells. */
  topicsOf(key: string, value: Value | null): readonly string[];
}

export interface AnswerCacheOptions<Value> {
  readonly memory: AnswerMemory<Value>;
  readonly feed: Pick<ChangeFeed, 'isLive' | 'provenAtMs'>;
  /** How long an answer may be served from memory, milliseconds; 0: not at all. */
  readonly ttlMs: number;
  /** Most questions under way at a time: anyone can make keys up, and each question takes memory while it waits. */
  readonly maxFlights: number;
  /** Checks the shape of a store's answer; an answer of another shape counts as a failure of the store. */
  readonly isAnswer: (value: unknown) => value is Value;
  /** True for a value that says "no", such as a sandbox that does not run; null always does. */
  readonly isNegative?: (value: Value) => boolean;
}

/** A question under way. */
interface Flight<Value> {
  readonly answer: Promise<Value | null>;
  /** How many changes had been told when it was put. */
  readonly askedAfter: number;
}

const nothing = (): void => undefined;

/**
 * Answers of the application's stores. However many wait for a key, one question is under way for it. Failures are never
 * remembered. Age is judged on reading: an answer is believed while it is younger than its TTL, and the feed is live, or
 * proved itself less than 5 s ago, or the answer itself is younger than 5 s. A gap in the feed ends in `clear`, so there is
 * none between an answer and a later proof.
 */
export class AnswerCache<Value> {
  /** Questions under way that others may join. */
  private readonly flights = new Map<string, Flight<Value>>();
  /** How many questions are under way, joinable or not. */
  private flying = 0;
  /** How many changes have been told so far. */
  private told = 0;
  /** The number of the last change, by topic. */
  private readonly changes = new ChangeTimes();

  constructor(private readonly options: AnswerCacheOptions<Value>) {}

  /**
   * The answer for `key`: from memory, synchronously if possible, or else from `ask`.
   *
   * @param beforeAsking called right before the question is put; may refuse it by throwing
   * @param isNoneUsual true where "none" is as good an answer as another, and may be as old
   * @throws DirectoryUnavailableError (also as a rejection) when the store fails, is late or answers something of
   *   another shape
   */
  get(
    key: string,
    ask: () => Promise<Value | null>,
    beforeAsking: () => void = nothing,
    isNoneUsual = false,
  ): MaybePromise<Value | null> {
    const answer = this.options.memory.get(key);
    if (answer instanceof Promise) {
      return answer.then((found) =>
        found !== undefined && this.isFresh(found, isNoneUsual)
          ? found.value
          : this.fly(key, ask, beforeAsking),
      );
    }
    if (answer !== undefined && this.isFresh(answer, isNoneUsual)) return answer.value;
    return this.fly(key, ask, beforeAsking);
  }

  /** The answer from memory; undefined where there is none at once. @param isNoneUsual as for `get` */
  recall(key: string, isNoneUsual: boolean): Value | null | undefined {
    const answer = this.options.memory.get(key);
    if (answer === undefined || answer instanceof Promise) return undefined;
    return this.isFresh(answer, isNoneUsual) ? answer.value : undefined;
  }

  /** Forgets one answer, and the question under way for it. */
  delete(key: string): void {
    this.options.memory.delete(key);
    this.flights.delete(key);
  }

  /**
   * Forgets the answers that rest on what has changed. An answer that is under way and turns out to rest on it is given to
   * those who wait for it already, but is not remembered; whoever comes from now on asks anew.
   */
  forget(change: Change): void {
    this.told += 1;
    if (change.kind === 'everything') {
      this.changes.noteAll(this.told);
      this.options.memory.clear();
      this.flights.clear();
      return;
    }
    const topic = topicOf(change);
    this.changes.note(topic, this.told);
    this.options.memory.deleteTopic(topic);
  }

  /** Begins to watch for changes: whether an answer rests on one that has been told since then, and may be older. */
  watch(): (key: string, value: Value) => boolean {
    const { told } = this;
    return (key, value) => this.isOutdated(key, value, told);
  }

  private isFresh({ value, askedAtMs }: Answer<Value>, isNoneUsual: boolean): boolean {
    const now = Date.now();
    const age = now - askedAtMs;
    if (age < 0 || age >= (isNoneUsual && value === null ? this.options.ttlMs : this.ttlOf(value)))
      return false;
    if (this.isFeedLive || age < TTL_WITHOUT_FEED_MS) return true;
    // A proof in the future was given before the clock was set back: its true age is unknown.
    const { provenAtMs } = this;
    return provenAtMs <= now && now - provenAtMs < TTL_WITHOUT_FEED_MS;
  }

  /** A feed that cannot say is no proof of anything. */
  private get isFeedLive(): boolean {
    try {
      return this.options.feed.isLive;
    } catch {
      return false;
    }
  }

  private get provenAtMs(): number {
    try {
      return this.options.feed.provenAtMs;
    } catch {
      return 0;
    }
  }

  private ttlOf(value: Value | null): number {
    const { ttlMs, isNegative } = this.options;
    if (value !== null && isNegative?.(value) !== true) return ttlMs;
    return Math.min(ttlMs, this.isFeedLive ? NEGATIVE_TTL_MS : NEGATIVE_TTL_WITHOUT_FEED_MS);
  }

  /** @param cameAfter how many changes had been told when whoever asks came: it may not get an answer from before them */
  private fly(
    key: string,
    ask: () => Promise<Value | null>,
    beforeAsking: () => void,
    cameAfter = this.told,
  ): Promise<Value | null> {
    const underWay = this.flights.get(key);
    if (underWay !== undefined && !this.isOutdated(key, null, underWay.askedAfter)) {
      if (underWay.askedAfter >= cameAfter) return underWay.answer;
      // Only the answer tells all that it rests on.
      return underWay.answer.then((value) =>
        this.isOutdated(key, value, underWay.askedAfter)
          ? this.fly(key, ask, beforeAsking, cameAfter)
          : value,
      );
    }
    if (this.flying >= this.options.maxFlights)
      throw new DirectoryUnavailableError(new Error('too many questions under way'));
    beforeAsking();
    const askedAfter = this.told;
    const isCurrent = (): boolean => this.flights.get(key) === flight;
    const flight: Flight<Value> = { askedAfter, answer: this.ask(key, ask, askedAfter, isCurrent) };
    this.flights.set(key, flight);
    return flight.answer;
  }

  /** Whether a change that the answer rests on has been told since so many had been told. */
  private isOutdated(key: string, value: Value | null, askedAfter: number): boolean {
    if (askedAfter === this.told) return false;
    return this.changes.lastOf(this.options.memory.topicsOf(key, value)) > askedAfter;
  }

  /**
   * @param isCurrent false once this question has been dropped: those who wait get the answer, but it is not remembered
   */
  private async ask(
    key: string,
    ask: () => Promise<Value | null>,
    askedAfter: number,
    isCurrent: () => boolean,
  ): Promise<Value | null> {
    const askedAtMs = Date.now();
    this.flying += 1;
    try {
      const value = await answerInTime(ask);
      if (value !== null && !this.options.isAnswer(value))
        throw new TypeError('the answer has the wrong shape');
      if (isCurrent() && !this.isOutdated(key, value, askedAfter))
        this.options.memory.set(key, { value, askedAtMs }, this.ttlOf(value));
      return value;
    } catch (error) {
      throw new DirectoryUnavailableError(error);
    } finally {
      this.flying -= 1;
      if (isCurrent()) this.flights.delete(key);
    }
  }
}

/** What a store answers. @throws Error when it does not answer in time; whatever the store throws or rejects with */
export async function answerInTime<Value>(
  ask: () => Promise<Value>,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
  });
  try {
    return await Promise.race([ask(), late]);
  } finally {
    clearTimeout(timer);
  }
}
