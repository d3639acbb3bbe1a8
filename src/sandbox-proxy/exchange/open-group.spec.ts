import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Admission } from '../admission/credential-scheme.js';
import type { CutReason } from './cut-reason.js';
import { type Live, LiveGroup } from './open-group.js';

class Open implements Live {
  group: LiveGroup | null = null;
  index = -1;
  reason: CutReason | null = null;

  constructor(
    readonly admission: Admission | null,
    private readonly onCut: () => void = () => undefined,
  ) {}

  cut(reason: CutReason): void {
    this.reason = reason;
    this.onCut();
  }
}

const admissionOf = (teamId: string): Admission => ({
  teamId,
  ground: { kind: 'key', key: { teamId, keyId: 'k', keyHash: 'h' } },
});
const ofTeam =
  (wanted: string) =>
  ({ teamId }: Admission) =>
    teamId === wanted;

describe('what a key or a sandbox has open', () => {
  it('is exactly what went in and has not come out, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }))), (steps) => {
        const group = new LiveGroup('id');
        const all = Array.from({ length: 10 }, () => new Open(admissionOf('t')));
        const expected = new Set<Live>();
        for (const [isAdded, which] of steps) {
          const live = all[which] as Open;
          if (isAdded) group.add(live);
          else group.delete(live);
          if (isAdded) expected.add(live);
          else expected.delete(live);
          expect(new Set(group)).toEqual(expected);
          expect(group.size).toBe(expected.size);
        }
      }),
    );
  });

  it('is cut where it is of concern, and then no longer in it', () => {
    const group = new LiveGroup('id');
    const admissions = [admissionOf('a'), admissionOf('b'), null, admissionOf('a')];
    const all = admissions.map((admission) => new Open(admission));
    for (const live of all) group.add(live);
    group.cut(ofTeam('a'), 'directory_unavailable');
    const reasons = all.map(({ reason }) => reason);
    expect(reasons).toEqual(['directory_unavailable', null, null, 'directory_unavailable']);
    expect([...group]).toEqual(expect.arrayContaining([all[1], all[2]]));
    expect(group.size).toBe(2);
  });

  it('is not cut once it has come out meanwhile, nor what has come in', () => {
    const group = new LiveGroup('id');
    const late = new Open(admissionOf('a'));
    const second = new Open(admissionOf('a'));
    const first = new Open(admissionOf('a'), () => {
      group.delete(second);
      group.add(late);
    });
    group.add(first);
    group.add(second);
    group.cut(ofTeam('a'));
    expect([first.reason, second.reason, late.reason]).toEqual(['revoked', null, null]);
    expect([...group]).toEqual([late]);
  });
});
