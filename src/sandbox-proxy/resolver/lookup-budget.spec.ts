import { describe, expect, it } from 'vitest';
import { LookupBudget } from './lookup-budget.js';

function takeAll(budget: LookupBudget, teamId: string): number {
  let taken = 0;
  while (budget.take(teamId)) taken += 1;
  return taken;
}

describe('LookupBudget', () => {
  it('gives a team 5,000 lookups in vain, then 100 a second', () => {
    let now = 0;
    const budget = new LookupBudget(() => now);
    expect(takeAll(budget, 'a')).toBe(5_000);
    now = 1_000;
    expect(takeAll(budget, 'a')).toBe(100);
  });

  it('is not used up by lookups that find something', () => {
    const budget = new LookupBudget(() => 0);
    for (let i = 0; i < 20_000; i++) {
      expect(budget.take('a')).toBe(true);
      budget.giveBack('a');
    }
    expect(takeAll(budget, 'a')).toBe(5_000);
  });

  it("does not touch another team's", () => {
    const budget = new LookupBudget(() => 0);
    takeAll(budget, 'a');
    expect(budget.take('b')).toBe(true);
  });
});
