import { DirectoryUnavailableError } from '../errors.js';
import type { ChangeFeed } from '../contracts/change-feed.js';
import { type Change, topicOf } from '../contracts/changes.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';

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
  /** What to throw while too many questions are under way. */
  readonly tooMany?: () => Error;
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
  private readonly flights = new Map<string, Promise<Value | null>>();
  /** How many questions are under way, joinable or not. */
  private flying = 0;

  constructor(private readonly options: AnswerCacheOptions<Value>) {}

  /**
   * The answer for `key`: from memory, synchronously if possible, or else from `ask`.
   *
   * @param beforeAsking called when memory does not know; may refuse by throwing
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

  /** Forgets one answer, and the question under way for it. */
  delete(key: string): void {
    this.options.memory.delete(key);
    this.flights.delete(key);
  }

  /**
   * Forgets the answers that rest on what has changed. Answers of questions under way may turn out to rest on it too, so
   * nobody joins these any more: whoever comes from now on asks anew.
   */
  forget(change: Change): void {
    if (change.kind === 'everything') this.options.memory.clear();
    else this.options.memory.deleteTopic(topicOf(change));
    this.flights.clear();
  }

  private isFresh({ value, askedAtMs }: Answer<Value>, isNoneUsual: boolean): boolean {
    const { feed } = this.options;
    const now = Date.now();
    const age = now - askedAtMs;
    if (age < 0 || age >= (isNoneUsual && value === null ? this.options.ttlMs : this.ttlOf(value)))
      return false;
    if (feed.isLive || age < TTL_WITHOUT_FEED_MS) return true;
    // A proof in the future was given before the clock was set back: its true age is unknown.
    return feed.provenAtMs <= now && now - feed.provenAtMs < TTL_WITHOUT_FEED_MS;
  }

  private ttlOf(value: Value | null): number {
    const { ttlMs, isNegative, feed } = this.options;
    if (value !== null && isNegative?.(value) !== true) return ttlMs;
    return Math.min(ttlMs, feed.isLive ? NEGATIVE_TTL_MS : NEGATIVE_TTL_WITHOUT_FEED_MS);
  }

  private fly(
    key: string,
    ask: () => Promise<Value | null>,
    beforeAsking: () => void,
  ): Promise<Value | null> {
    const underWay = this.flights.get(key);
    if (underWay !== undefined) return underWay;
    beforeAsking();
    const { maxFlights, tooMany } = this.options;
    if (this.flying >= maxFlights)
      throw tooMany?.() ?? new DirectoryUnavailableError(new Error('too many questions under way'));
    const flight: Promise<Value | null> = this.ask(key, ask, () => this.flights.get(key) === flight);
    this.flights.set(key, flight);
    return flight;
  }

  /**
   * @param isCurrent false once a change has dropped this question: those who wait get the answer, but it is not
   *   remembered
   */
  private async ask(
    key: string,
    ask: () => Promise<Value | null>,
    isCurrent: () => boolean,
  ): Promise<Value | null> {
    const askedAtMs = Date.now();
    this.flying += 1;
    try {
      const value = await answerInTime(ask);
      if (value !== null && !this.options.isAnswer(value))
        throw new TypeError('the answer has the wrong shape');
      if (isCurrent()) this.options.memory.set(key, { value, askedAtMs }, this.ttlOf(value));
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
