import { describe, expect, it } from 'vitest';
import { CoolDown, coolDownMs } from './cool-down.js';

describe('a line of connections whose bodies come in tiny pieces', () => {
  it('gives each five times what it has cost, one after the other', () => {
    const line = new CoolDown(0.01);
    expect(line.waitMs(1_000, 0)).toBeCloseTo(50);
    expect(line.waitMs(1_000, 0)).toBeCloseTo(100);
    expect(line.waitMs(1_000, 60)).toBeCloseTo(90);
  });

  it('saves up nothing for those who come late', () => {
    const line = new CoolDown(0.01);
    expect(line.waitMs(1_000, 0)).toBeCloseTo(50);
    expect(line.waitMs(1_000, 1_000_000)).toBeCloseTo(50);
  });

  it('does not make an agent wait for an ordinary read, whoever else waits', () => {
    expect(coolDownMs(11_000, 0)).toBeCloseTo(8.25);
    expect(coolDownMs(512, 0)).toBe(0);
    expect(coolDownMs(513, 0)).toBeGreaterThan(8.25);
  });
});
