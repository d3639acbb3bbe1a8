import { DirectoryUnavailableError, TooManyLookupsError } from '../errors.js';
import { networkOf } from './stranger-budget.js';

/** Most keys from one client network that are looked up at a time; further ones wait. */
const AT_A_TIME = 50;
/** Most of one network that wait. */
const MAX_WAITING = 1_000;
/** How long one waits at most, milliseconds. It takes that long only while the store does not answer. */
const MAX_WAIT_MS = 5_000;

/** What there have been too many requests of. */
export const WITH_UNKNOWN_KEYS = 'with unknown API keys';

interface Waiter {
  begin(): void;
  refuse(error: Error): void;
}

interface Network {
  underWay: number;
  /** First the one that came first. */
  readonly waiting: Waiter[];
}

/**
 * Shares out the lookups of keys that have not admitted anyone before. There is a bound on lookups under way, and further
 * ones are refused; one client with made-up keys must not be able to use all of them.
 */
export class LookupTurns {
  private readonly networks = new Map<string, Network>();

  /**
   * Runs `look` when it is the client's turn.
   *
   * @param client IP address
   * @throws TooManyLookupsError when too many have come after it while it waited; DirectoryUnavailableError when it has
   *   waited too long; whatever `look` throws
   */
  async take<Found>(client: string, look: () => Found | Promise<Found>): Promise<Found> {
    const name = networkOf(client);
    const network = this.networks.get(name) ?? { underWay: 0, waiting: [] };
    this.networks.set(name, network);
    if (network.underWay < AT_A_TIME) network.underWay += 1;
    // a lookup that ends hands its place on
    else await turnOf(network);
    try {
      return await look();
    } finally {
      // the latest one first, so that a single request does not wait behind a flood
      const next = network.waiting.pop();
      if (next !== undefined) next.begin();
      else if ((network.underWay -= 1) === 0) this.networks.delete(name);
    }
  }
}

function turnOf({ waiting }: Network): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // all wait for the same time, so this is the oldest one
      waiting.shift();
      reject(new DirectoryUnavailableError(new Error('too many lookups of one client are waiting')));
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
    if (waiting.length > MAX_WAITING) waiting.shift()?.refuse(new TooManyLookupsError(WITH_UNKNOWN_KEYS));
  });
}
