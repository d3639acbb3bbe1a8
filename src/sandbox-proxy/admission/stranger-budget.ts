import { isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { LookupBudget } from '../memory/lookup-budget.js';

/**
 * How many questions one client address may cause without having shown who it is, and without an answer: ports that are
 * not public, cookies and link tokens that nobody was given. Behind a proxy that is not trusted all its clients are one.
 */
const ALLOWANCE = { burst: 500, perSecond: 50 };

/** Keeps strangers from using up the stores that everyone else needs. */
@Injectable()
export class StrangerBudget {
  private readonly budget = new LookupBudget(() => performance.now(), ALLOWANCE);

  /**
   * Called before a store is asked for a stranger.
   *
   * @param client IP address
   * @throws TooManyLookupsError while the client has asked too much
   */
  check(client: string): void {
    this.budget.check(networkOf(client));
  }

  /** A question came to nothing. */
  charge(client: string): void {
    this.budget.charge(networkOf(client));
  }

  /** Passes the answer on; one that is null and had to be asked for is charged. */
  spend<Answer>(client: string, answer: MaybePromise<Answer | null>): MaybePromise<Answer | null> {
    if (!(answer instanceof Promise)) return answer;
    return answer.then((found) => {
      if (found === null) this.charge(client);
      return found;
    });
  }
}

/** The address, or of IPv6 the /64 that one client has to itself: `2001:db8:1:2:3::4` -> `2001:db8:1:2`. */
export function networkOf(client: string): string {
  if (!isIPv6(client)) return client;
  const [before = '', after] = client.split('%', 1)[0]?.split('::') ?? [];
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const missing = after === undefined ? 0 : 8 - head.length - tail.length - (client.includes('.') ? 1 : 0);
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':');
}
