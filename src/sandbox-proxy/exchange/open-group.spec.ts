import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeMember, FakeScheme } from '../../../test/kit/open-fakes.js';
import { accessEnded, accessUnknown } from './cut.js';
import { OpenGroup } from './open-group.js';

const REVOKED = accessEnded('revoked', 'unauthorized');

function newGroup(): OpenGroup {
  return new OpenGroup(new FakeScheme().admission('key-1', 'team-a'), 'cl-1', []);
}

describe('what an admission has open at a sandbox', () => {
  it('is exactly what went in and has not come out, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 9 }))), (steps) => {
        const group = newGroup();
        const all = Array.from({ length: 10 }, () => new FakeMember());
        const expected = new Set<FakeMember>();
        for (const [isAdded, which] of steps) {
          const member = all[which] as FakeMember;
          if (isAdded) group.add(member);
          else group.delete(member);
          if (isAdded) expected.add(member);
          else expected.delete(member);
          expect(new Set(group.snapshot())).toEqual(expected);
          expect(group.size).toBe(expected.size);
        }
      }),
    );
  });

  it('is in one group at a time: what goes into another has come out', () => {
    const [one, other] = [newGroup(), newGroup()];
    const member = new FakeMember();
    one.add(member);
    other.add(member);
    expect([one.size, other.size, member.group]).toEqual([0, 1, other]);
    one.delete(member);
    expect([other.size, member.group]).toEqual([1, other]);
  });

  it('is cut where it is meant, and then no longer in it', () => {
    const group = newGroup();
    const all = Array.from({ length: 4 }, () => new FakeMember());
    for (const member of all) group.add(member);
    const unknown = accessUnknown();
    group.cut([all[0], all[3]] as FakeMember[], unknown);
    expect(all.map(({ wasCut }) => wasCut)).toEqual([unknown, null, null, unknown]);
    expect(new Set(group.snapshot())).toEqual(new Set([all[1], all[2]]));
  });

  it('is cut once', () => {
    const group = newGroup();
    const member = new FakeMember();
    group.add(member);
    const seen = group.snapshot();
    group.cut(seen, REVOKED);
    group.cut(seen, accessUnknown());
    expect(member.wasCut).toBe(REVOKED);
  });

  it('is not cut once it has come out meanwhile, nor what has come in', () => {
    const group = newGroup();
    const [late, second] = [new FakeMember(), new FakeMember()];
    const first = new FakeMember({
      onCut: () => {
        group.delete(second);
        group.add(late);
      },
    });
    group.add(first);
    group.add(second);
    group.cut(group.snapshot(), REVOKED);
    expect([first.wasCut, second.wasCut, late.wasCut]).toEqual([REVOKED, null, null]);
    expect(group.snapshot()).toEqual([late]);
  });

  it('stays as it was in a snapshot, whoever comes and goes', () => {
    const group = newGroup();
    const [one, two] = [new FakeMember(), new FakeMember()];
    group.add(one);
    const seen = group.snapshot();
    group.delete(one);
    group.add(two);
    expect(seen).toEqual([one]);
  });
});
