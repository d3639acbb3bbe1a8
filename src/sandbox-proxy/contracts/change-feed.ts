import type { Change } from './changes.js';

/**
 * Tells of changes as the application's data takes them, made by whichever process. Supply one and what the module
 * remembers lives for minutes; a revoked key is then forgotten, and what it had opened is cut, within milliseconds.
 *
 * Without it: whatever is remembered is asked about again after 5 s at the latest, and so is everything open.
 */
export abstract class ChangeFeed {
  /** True while every committed change reaches the listeners. */
  abstract readonly isLive: boolean;
  /**
   * When the feed last proved that it hears what happens, epoch milliseconds; 0 for never. For 5 s after it, answers
   * asked for since the last gap stay good although the feed is down: a restart of the database is no outage.
   */
  abstract readonly provenAtMs: number;
  /**
   * Calls `listener` for each change until the returned function is called. After a gap, on hearing again and never on
   * going deaf, tells `{ kind: 'everything' }`, at the latest when `isLive` becomes true.
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
