import { LRUCache } from 'lru-cache';
import { TooManyLookupsError } from '../errors.js';

/** How many askers are remembered at a time. */
const ASKERS = 10_000;

/** How many questions may find nothing: at once, and per second from then on. */
export interface LookupAllowance {
  readonly burst: number;
  readonly perSecond: number;
}

interface Budget {
  left: number;
  atMs: number;
}

/**
 * Bounds the queries that one team or client can cause by asking for what does not exist. (No cache helps against that,
 * since each id would be another entry.) Each asker has a token bucket, and only a lookup that finds nothing costs a token.
 */
export class LookupBudget {
  private readonly budgets = new LRUCache<string, Budget>({ max: ASKERS });

  /** @param clock never goes back, milliseconds */
  constructor(
    private readonly clock: () => number,
    private readonly allowance: LookupAllowance,
  ) {}

  /** False while the asker's bucket is empty. */
  allows(asker: string): boolean {
    const budget = this.budgets.get(asker);
    return budget === undefined || this.refilled(budget) >= 1;
  }

  /** @throws TooManyLookupsError while `allows` is false */
  check(asker: string): void {
    if (!this.allows(asker)) throw new TooManyLookupsError();
  }

  /** Pays for a lookup in advance, so that lookups under way at the same time cannot overdraw. False if nothing is left. */
  reserve(asker: string): boolean {
    const budget = this.budgetOf(asker);
    if (this.refilled(budget) < 1) return false;
    budget.left -= 1;
    return true;
  }

  /** To be called when a lookup that was paid for in advance has found something, or has failed. */
  refund(asker: string): void {
    this.budgetOf(asker).left += 1;
  }

  /** The lookup found nothing. */
  charge(asker: string): void {
    const { burst } = this.allowance;
    const budget = this.budgetOf(asker);
    // Lookups that were under way at once may overdraw, but not without end.
    budget.left = Math.max(-burst, this.refilled(budget) - 1);
  }

  private budgetOf(asker: string): Budget {
    let budget = this.budgets.get(asker);
    if (budget === undefined) {
      budget = { left: this.allowance.burst, atMs: this.clock() };
      this.budgets.set(asker, budget);
    }
    return budget;
  }

  private refilled(budget: Budget): number {
    const now = this.clock();
    const { burst, perSecond } = this.allowance;
    budget.left = Math.min(burst, budget.left + ((now - budget.atMs) * perSecond) / 1_000);
    budget.atMs = now;
    return budget.left;
  }
}
