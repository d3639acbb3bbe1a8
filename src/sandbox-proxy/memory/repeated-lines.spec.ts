import { beforeEach, describe, expect, it } from 'vitest';
import { RepeatedLines } from './repeated-lines.js';

describe('RepeatedLines', () => {
  let now: number;
  let lines: RepeatedLines;

  beforeEach(() => {
    now = 5_000;
    lines = new RepeatedLines(() => now);
  });

  it('lets one line a second of a kind pass, and tells how many it left out', () => {
    const passed: [number, number][] = [];
    for (; now < 7_500; now += 10) {
      const suppressed = lines.pass('a');
      if (suppressed !== null) passed.push([now, suppressed]);
    }
    expect(passed).toEqual([
      [5_000, 0],
      [6_000, 99],
      [7_000, 99],
    ]);
  });

  it('counts each kind by itself', () => {
    expect([lines.pass('a'), lines.pass('b'), lines.pass('a'), lines.pass('b')]).toEqual([0, 0, null, null]);
  });

  it('lets few pass however many kinds there are, and remembers no more', () => {
    const passed = () => Array.from({ length: 10_000 }, (_, index) => lines.pass(`${now} ${index}`));
    expect(passed().filter((suppressed) => suppressed !== null)).toHaveLength(201);
    now += 1_000;
    const later = passed().filter((suppressed) => suppressed !== null);
    expect(later.length).toBeLessThanOrEqual(201);
  });
});
