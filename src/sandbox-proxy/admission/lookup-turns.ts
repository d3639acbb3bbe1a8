import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';

/** Most lookups of one asker at a time; further ones wait. */
const AT_A_TIME = 50;
/** Most of one asker that wait. */
const MAX_WAITING = 1_000;
/** How long one waits at most, milliseconds. It takes that long only while the store does not answer. */
const MAX_WAIT_MS = 5_000;

interface Waiter {
  begin(): void;
  refuse(error: Error): void;
}

interface Asker {
  underWay: number;
  /** First the one that came first. */
  readonly waiting: Waiter[];
}

/**
 * Shares out lookups among those who ask. There is a bound on lookups under way, and further ones are refused; one client with
 * made-up keys, or one team with made-up sandboxes, must not be able to use all of them.
 */
export class LookupTurns {
  private readonly askers = new Map<string, Asker>();

  /** @param what there have been too many requests of, as in `TooManyLookupsError` */
  constructor(private readonly what: string) {}

  /**
   * Runs `look` when it is the asker's turn.
   *
   * @param name of the asker, e.g. a client network or a team
   * @throws TooManyLookupsError when too many have come after it while it waited; DirectoryUnavailableError when it has
   *   waited too long; whatever `look` throws
   */
  async take<Found>(name: string, look: () => Found | Promise<Found>): Promise<Found> {
    const asker = this.askers.get(name) ?? { underWay: 0, waiting: [] };
    this.askers.set(name, asker);
    if (asker.underWay < AT_A_TIME) asker.underWay += 1;
    // a lookup that ends hands its place on
    else await turnOf(asker, this.what);
    try {
      return await look();
    } finally {
      // the latest one first, so that a single request does not wait behind a flood
      const next = asker.waiting.pop();
      if (next !== undefined) next.begin();
      else if ((asker.underWay -= 1) === 0) this.askers.delete(name);
    }
  }
}

function turnOf({ waiting }: Asker, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // all wait for the same time, so this is the oldest one
      waiting.shift();
      reject(new DirectoryUnavailableError(new Error('too many lookups of one asker are waiting')));
    }, MAX_WAIT_MS);
    waiting.push({
      begin: () => {
        clearTimeout(timer);
        resolve();
      },
      refuse: (error) => {
        clearTimeout(timer);
        reject(error);
      },
    });
    if (waiting.length > MAX_WAITING) waiting.shift()?.refuse(new TooManyLookupsError(what));
  });
}
