import type { OpenGroup } from '../exchange/open-group.js';

/**
 * Rechecks of what was being admitted when a change was told. However many members of a group have to be asked about, one
 * recheck of the group is under way for them, and one more waits for its end: for those who came after it had begun.
 */
export class JoinedRechecks {
  private readonly underWay = new Map<OpenGroup, Promise<void>>();
  private readonly next = new Map<OpenGroup, Promise<true>>();

  /** @param recheck asks about all that is in the group when it is called; never rejects */
  constructor(private readonly recheck: (group: OpenGroup) => Promise<void>) {}

  /** Fulfilled when all that is in the group now has been asked about. */
  of(group: OpenGroup): Promise<true> {
    const joined = this.next.get(group);
    if (joined !== undefined) return joined;
    const next = this.begin(group);
    this.next.set(group, next);
    return next;
  }

  private async begin(group: OpenGroup): Promise<true> {
    // Even without one this waits a moment, so that those who come together are asked about together.
    await this.underWay.get(group);
    this.next.delete(group);
    const recheck = this.recheck(group);
    this.underWay.set(group, recheck);
    await recheck;
    if (this.underWay.get(group) === recheck) this.underWay.delete(group);
    return true;
  }
}
