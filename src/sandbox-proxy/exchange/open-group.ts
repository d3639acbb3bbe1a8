import type { Admission } from '../contracts/credential-scheme.js';
import type { Cut } from './cut.js';

/** Something open: a request under way, or a tunnel. */
export interface OpenMember {
  /** The group that it is in; written by groups alone, like `index`, its position there. */
  group: OpenGroup | null;
  index: number;
  /** The host that it leads to; null while not known. */
  readonly openAt: string | null;
  /** Ends it, now. */
  cut(cut: Cut): void;
}

/**
 * What one admission has open at one sandbox. Every request is added and deleted once, so each member knows its
 * position and no lookup by hash is needed.
 */
export class OpenGroup {
  private readonly members: OpenMember[] = [];
  private readonly successors = new WeakMap<OpenMember, OpenMember>();

  constructor(
    readonly admission: Admission,
    readonly sandboxId: string,
    /** The topics (`topicOf`) of the changes that it rests on. */
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

  /** Replaces a member by another that continues it: a request by the tunnel that it has become. */
  replace(member: OpenMember, successor: OpenMember): void {
    this.delete(member);
    this.add(successor);
    this.successors.set(member, successor);
  }

  delete(member: OpenMember): void {
    if (member.group !== this) return;
    member.group = null;
    const last = this.members.pop() as OpenMember;
    if (last === member) return;
    this.members[member.index] = last;
    last.index = member.index;
  }

  /** A copy of the members, which stays the same when members come and go. */
  snapshot(): readonly OpenMember[] {
    return this.members.slice();
  }

  /** Cuts those of `members` that are still in the group, and members that have replaced them. */
  cut(members: readonly OpenMember[], cut: Cut): void {
    for (const each of members) {
      const member = this.successors.get(each) ?? each;
      if (member.group !== this) continue;
      this.delete(member);
      member.cut(cut);
    }
  }
}
