import type { Change } from './changes.js';

/**
 * Tells of changes of the application's data as they are committed, whichever process makes them. With a feed the module
 * may remember answers for minutes: a revoked key is forgotten, and what it had opened is cut, within milliseconds.
 *
 * Without a feed: nothing that is remembered is believed for more than 5 s, and everything open is asked about as often.
 */
export abstract class ChangeFeed {
  /** True while every committed change reaches the listeners. */
  abstract readonly isLive: boolean;
  /**
   * When the feed last proved that it hears what happens, epoch milliseconds; 0: never. For 5 s after that, answers
   * asked for since the last gap stay good although the feed is down, so that a restart of the database is not an outage.
   */
  abstract readonly provenAtMs: number;
  /**
   * Calls `listener` for each change, until the returned function is called. A gap in which changes may have been missed
   * ends with `{ kind: 'everything' }`: told when the feed hears again, not when it stops hearing, and at the latest when
   * `isLive` becomes true.
   */
  abstract subscribe(listener: (change: Change) => void): () => void;
}

/** The feed of an application that has none. */
export class NoChangeFeed extends ChangeFeed {
  readonly isLive = false;
  readonly provenAtMs = 0;

  subscribe(): () => void {
    return () => undefined;
  }
}
