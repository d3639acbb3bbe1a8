import { LRUCache } from 'lru-cache';

/** How many sandboxes a team may ask for in vain at once, and how many a second from then on. */
const BURST = 5_000;
const PER_SECOND = 100;
const TEAMS = 10_000;

interface Budget {
  left: number;
  atMs: number;
}

/**
 * Bounds the database queries that one team can cause by asking for sandboxes that do not exist (each id is another
 * cache entry, so no cache helps): a token bucket per team, from which only a lookup that found nothing is paid.
 */
export class LookupBudget {
  private readonly budgets = new LRUCache<string, Budget>({ max: TEAMS });

  /** @param clock milliseconds that only grow */
  constructor(private readonly clock: () => number) {}

  /** False while the team has used up what it may ask for in vain. */
  allows(teamId: string): boolean {
    const budget = this.budgets.get(teamId);
    return budget === undefined || this.refilled(budget) >= 1;
  }

  /** The lookup found nothing. */
  charge(teamId: string): void {
    let budget = this.budgets.get(teamId);
    if (budget === undefined) {
      budget = { left: BURST, atMs: this.clock() };
      this.budgets.set(teamId, budget);
    }
    // Lookups that were under way at once may overdraw, but not without end.
    budget.left = Math.max(-BURST, this.refilled(budget) - 1);
  }

  private refilled(budget: Budget): number {
    const now = this.clock();
    budget.left = Math.min(BURST, budget.left + ((now - budget.atMs) * PER_SECOND) / 1_000);
    budget.atMs = now;
    return budget.left;
  }
}
