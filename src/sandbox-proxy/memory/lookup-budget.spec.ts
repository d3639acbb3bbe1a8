import { describe, expect, it } from 'vitest';
import { TooManyLookupsError } from '../errors.js';
import { LookupBudget } from './lookup-budget.js';

/** Asks for what does not exist until it is no longer allowed. */
function chargeAll(budget: LookupBudget, teamId: string): number {
  let charged = 0;
  for (; budget.allows(teamId); charged++) budget.charge(teamId);
  return charged;
}

const ALLOWANCE = { burst: 5_000, perSecond: 100 };

describe('LookupBudget', () => {
  it('gives a team 5,000 lookups that find nothing, then 100 a second', () => {
    let now = 0;
    const budget = new LookupBudget(() => now, ALLOWANCE);
    expect(chargeAll(budget, 'a')).toBe(5_000);
    now = 1_000;
    expect(chargeAll(budget, 'a')).toBe(100);
  });

  it('is not used up by lookups that find something, or that fail', () => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    for (let i = 0; i < 20_000; i++) expect(budget.allows('a')).toBe(true);
  });

  it('refuses whoever has used it up', () => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    budget.check('a');
    chargeAll(budget, 'a');
    expect(() => budget.check('a')).toThrow(TooManyLookupsError);
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
    expect(chargeAll(budget, 'a')).toBe(5_000);
  });

  it("does not touch another team's", () => {
    const budget = new LookupBudget(() => 0, ALLOWANCE);
    chargeAll(budget, 'a');
    expect(budget.allows('b')).toBe(true);
  });

  it('is overdrawn by no more than as much again', () => {
    let now = 0;
    const budget = new LookupBudget(() => now, ALLOWANCE);
    for (let i = 0; i < 50_000; i++) budget.charge('a');
    now = 50_000;
    expect(budget.allows('a')).toBe(false);
    now = 50_011;
    expect(budget.allows('a')).toBe(true);
  });
});
