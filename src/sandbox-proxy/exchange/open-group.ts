import type { Admission } from '../contracts/credential-scheme.js';
import type { Cut } from './cut.js';

/** Something open: a request under way, or a tunnel. */
export interface OpenMember {
  /** The group that it is in, and where in it; written by groups alone. */
  group: OpenGroup | null;
  index: number;
  /** The host that it leads to; null while that is not known. */
  readonly openAt: string | null;
  /** Ends it, now. */
  cut(cut: Cut): void;
}

/**
 * What one admission has open at one sandbox. Every request goes in and out once, so members know their places, and
 * nothing is hashed.
 */
export class OpenGroup {
  private readonly members: OpenMember[] = [];

  constructor(
    readonly admission: Admission,
    readonly sandboxId: string,
    /** What it rests on, by the names that `topicOf` gives to changes. */
    readonly topics: readonly string[],
  ) {}

  get size(): number {
    return this.members.length;
  }

  add(member: OpenMember): void {
    member.group?.delete(member);
    member.group = this;
    member.index = this.members.push(member) - 1;
  }

  delete(member: OpenMember): void {
    if (member.group !== this) return;
    member.group = null;
    const last = this.members.pop() as OpenMember;
    if (last === member) return;
    this.members[member.index] = last;
    last.index = member.index;
  }

  /** What is open now, as it stays when members come and go. */
  snapshot(): readonly OpenMember[] {
    return this.members.slice();
  }

  /** Ends those of `members` that are still in. */
  cut(members: readonly OpenMember[], cut: Cut): void {
    for (const member of members) {
      if (member.group !== this) continue;
      this.delete(member);
      member.cut(cut);
    }
  }
}
