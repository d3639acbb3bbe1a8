import { describe, expect, it } from 'vitest';
import { CoolDown, coolDownMs } from './cool-down.js';

describe('a line of connections whose bodies come in tiny pieces', () => {
  it('gives each five times what it has cost, one after the other', () => {
    const line = new CoolDown(0.01);
    expect(line.waitMs('a', 1_000, 0)).toBeCloseTo(50);
    expect(line.waitMs('a', 1_000, 0)).toBeCloseTo(100);
    expect(line.waitMs('a', 1_000, 60)).toBeCloseTo(90);
  });

  it('saves up nothing for those who come late', () => {
    const line = new CoolDown(0.01);
    expect(line.waitMs('a', 1_000, 0)).toBeCloseTo(50);
    expect(line.waitMs('a', 1_000, 1_000_000)).toBeCloseTo(50);
  });

  // One team's flood made all others wait, for seconds.
  it('is not that of others, with whom it divides the fifth', () => {
    const lines = new CoolDown(0.01);
    for (let index = 0; index < 1_000; index++) lines.waitMs('flood', 1_000, 0);
    expect(lines.waitMs('a', 1_000, 0)).toBeCloseTo(100);
    expect(lines.waitMs('b', 1_000, 0)).toBeCloseTo(150);
    expect(lines.waitMs('a', 1_000, 0)).toBeCloseTo(250);
    // Theirs are over, and that of the flood goes on.
    expect(lines.waitMs('a', 1_000, 1_000)).toBeCloseTo(100);
  });

  it('is shared by all who come when there are a thousand', () => {
    const lines = new CoolDown(0.01);
    for (let index = 0; index < 1_000; index++) lines.waitMs(`${index}`, 1_000, 0);
    const waitMs = lines.waitMs('a', 1_000, 0);
    expect(lines.waitMs('b', 1_000, 0)).toBeCloseTo(2 * waitMs);
  });

  it('does not make an agent wait for an ordinary read, whoever else waits', () => {
    // All lines before are over by then.
    expect(coolDownMs('team', 11_000, 1e9)).toBeCloseTo(8.25);
    expect(coolDownMs('team', 512, 1e9)).toBe(0);
    expect(coolDownMs('team', 513, 1e9)).toBeGreaterThan(8.25);
  });
});
