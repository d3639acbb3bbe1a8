import { describe, expect, it } from 'vitest';
import { UnknownKeyBudget } from './unknown-key-budget.js';

function paid(budget: UnknownKeyBudget, address: string, tries: number, nowMs: number): number {
  return Array.from({ length: tries }, () => budget.spend(address, nowMs)).filter(Boolean).length;
}

describe('UnknownKeyBudget', () => {
  it('is of 200 at once, and 10 a second from then on', () => {
    const budget = new UnknownKeyBudget();
    expect(paid(budget, '10.0.0.1', 1_000, 0)).toBe(200);
    expect(paid(budget, '10.0.0.1', 1_000, 500)).toBe(5);
    expect(paid(budget, '10.0.0.1', 1_000, 1_500)).toBe(10);
    expect(paid(budget, '10.0.0.1', 1_000, 1_000_000)).toBe(200);
  });

  it("is an address's own, and a /64's", () => {
    const budget = new UnknownKeyBudget();
    paid(budget, '2001:db8::1', 1_000, 0);
    expect(paid(budget, '2001:db8::ffff', 1, 0)).toBe(0);
    expect(paid(budget, '2001:db8:0:1::1', 1, 0)).toBe(1);
    expect(paid(budget, '10.0.0.2', 1, 0)).toBe(1);
  });
});
