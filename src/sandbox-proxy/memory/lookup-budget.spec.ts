import { describe, expect, it } from 'vitest';
import { LookupBudget } from './lookup-budget.js';

/** Asks for what does not exist until it is no longer allowed. */
function spend(budget: LookupBudget, teamId: string): number {
  let spent = 0;
  while (budget.reserve(teamId)) spent++;
  return spent;
}

const ALLOWANCE = { burst: 5_000, perSecond: 100 };

describe('LookupBudget', () => {
  it('gives a team 5,000 lookups that find nothing, then 100 a second', () => {
    let now = 0;
    const budget = new LookupBudget(() => now, ALLOWANCE);
    expect(spend(budget, 'a')).toBe(5_000);
    now = 1_000;
    expect(spend(budget, 'a')).toBe(100);
  });

  it.each<[string, () => Promise<string | null>, number]>([
    ['one that finds nothing', () => Promise.resolve(null), 4_900],
    ['none that finds something', () => Promise.resolve('x'), 5_000],
    ['none that fails', () => Promise.reject(new Error('away')), 5_000],
  ])('is used up by lookups that were paid for: %s', async (_what, look, left) => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    for (let i = 0; i < 100; i++) {
      budget.reserve('a');
      await budget.ask('a', look).catch(String);
    }
    expect(spend(budget, 'a')).toBe(left);
  });

  it('is paid from in advance, never overdrawn so, and given back', () => {
    let now = 0;
    const budget = new LookupBudget(() => now, ALLOWANCE);
    for (let i = 0; i < 5_000; i++) expect(budget.reserve('a')).toBe(true);
    for (let i = 0; i < 5_000; i++) expect(budget.reserve('a')).toBe(false);
    budget.refund('a');
    expect([budget.reserve('a'), budget.reserve('a')]).toEqual([true, false]);
    now = 10;
    expect([budget.reserve('a'), budget.reserve('a')]).toEqual([true, false]);
  });

  it('is no larger for what is given back', () => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    for (let i = 0; i < 100; i++) budget.refund('a');
    expect(spend(budget, 'a')).toBe(5_000);
  });

  it("does not touch another team's", () => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    spend(budget, 'a');
    expect(budget.reserve('b')).toBe(true);
  });
});
