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
 * cache entry, so no cache helps): a token bucket per team, in which a lookup that finds something costs nothing.
 */
export class LookupBudget {
  private readonly budgets = new LRUCache<string, Budget>({ max: TEAMS });

  /** @param clock milliseconds that only grow */
  constructor(private readonly clock: () => number) {}

  /** Takes one lookup from the team's budget; false where nothing is left. */
  take(teamId: string): boolean {
    const now = this.clock();
    let budget = this.budgets.get(teamId);
    if (budget === undefined) {
      budget = { left: BURST, atMs: now };
      this.budgets.set(teamId, budget);
    }
    budget.left = Math.min(BURST, budget.left + ((now - budget.atMs) * PER_SECOND) / 1_000);
    budget.atMs = now;
    if (budget.left < 1) return false;
    budget.left -= 1;
    return true;
  }

  /** The lookup found a sandbox: it was not in vain. */
  giveBack(teamId: string): void {
    const budget = this.budgets.get(teamId);
    if (budget !== undefined) budget.left = Math.min(BURST, budget.left + 1);
  }
}
