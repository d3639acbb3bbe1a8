import { LRUCache } from 'lru-cache';

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
 * since each id would be another entry.) Each asker has a token bucket, and a lookup that finds something costs nothing.
 */
export class LookupBudget {
  private readonly budgets = new LRUCache<string, Budget>({ max: ASKERS });

  /** @param clock never goes back, milliseconds */
  constructor(
    private readonly clock: () => number,
    private readonly allowance: LookupAllowance,
  ) {}

  /** Pays for a lookup in advance, so that lookups under way at the same time cannot overdraw. False if nothing is left. */
  reserve(asker: string): boolean {
    const budget = this.budgetOf(asker);
    if (this.refilled(budget) < 1) return false;
    budget.left -= 1;
    return true;
  }

  /** Makes a lookup that has been paid for in advance, and refunds the asker unless it finds nothing. */
  async ask<Answer>(asker: string, look: () => Promise<Answer | null>): Promise<Answer | null> {
    let found: Answer | null | undefined;
    try {
      found = await look();
      return found;
    } finally {
      if (found !== null) this.refund(asker);
    }
  }

  /** To be called when a lookup that was paid for in advance has found something, or has failed. */
  refund(asker: string): void {
    this.budgetOf(asker).left += 1;
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
