import { Injectable } from '@nestjs/common';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { LookupBudget } from '../routing/lookup-budget.js';
import { TooManyLookupsError } from '../errors.js';

/**
 * What one client address may ask the database in vain without having shown who it is: ports that are not public,
 * cookies and link tokens that are none. Behind a proxy that is not trusted all its clients are one.
 */
const ALLOWANCE = { burst: 500, perSecond: 50 };

/** Keeps strangers from using up the database that everyone else needs. */
@Injectable()
export class StrangerBudget {
  private readonly budget = new LookupBudget(() => performance.now(), ALLOWANCE);

  /**
   * Called before the database is asked for a stranger.
   *
   * @param client IP address
   * @throws TooManyLookupsError while the client has asked too much in vain
   */
  check(client: string): void {
    if (!this.budget.allows(client)) throw new TooManyLookupsError();
  }

  /** Passes the answer on; one that is null and had to be asked for is paid. */
  spend<Answer>(client: string, answer: MaybePromise<Answer | null>): MaybePromise<Answer | null> {
    if (!(answer instanceof Promise)) return answer;
    return answer.then((found) => {
      if (found === null) this.budget.charge(client);
      return found;
    });
  }
}
