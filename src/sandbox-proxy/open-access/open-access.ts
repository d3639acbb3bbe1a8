import { Injectable } from '@nestjs/common';
import { topicOf } from '../contracts/changes.js';
import type { Admission } from '../contracts/credential-scheme.js';
import { OpenGroup, type OpenMember } from '../exchange/open-group.js';

/**
 * All requests under way and tunnels, grouped by admission and sandbox. What a change concerns is found by index. Without
 * this, streams and WebSockets would outlive the permission that opened them.
 */
@Injectable()
export class OpenAccess {
  private readonly groupsOf = new WeakMap<Admission, Map<string, OpenGroup>>();
  /** All groups that had a member since the last sweep. */
  private readonly groups = new Set<OpenGroup>();
  private readonly byTopic = new Map<string, Set<OpenGroup>>();

  /** Adds what an admission has opened to the group of that admission and sandbox. */
  add(member: OpenMember, admission: Admission, sandboxId: string): OpenGroup {
    const group = this.groupsOf.get(admission)?.get(sandboxId) ?? this.begin(admission, sandboxId);
    group.add(member);
    return group;
  }

  delete(member: OpenMember): void {
    member.group?.delete(member);
  }

  /** How many requests and tunnels are open. */
  get size(): number {
    let size = 0;
    for (const group of this.groups) size += group.size;
    return size;
  }

  /** The groups that rest on this topic. */
  restingOn(topic: string): readonly OpenGroup[] {
    return [...(this.byTopic.get(topic) ?? [])];
  }

  all(): readonly OpenGroup[] {
    return [...this.groups];
  }

  /** Drops groups that have become empty. They are made again when they are needed. */
  sweep(): void {
    for (const group of this.groups) if (group.size === 0) this.end(group);
  }

  private begin(admission: Admission, sandboxId: string): OpenGroup {
    const topics = [
      ...admission.restsOn.map(topicOf),
      topicOf({ kind: 'team', teamId: admission.teamId }),
      topicOf({ kind: 'sandbox', sandboxId }),
    ];
    const group = new OpenGroup(admission, sandboxId, topics);
    const known = this.groupsOf.get(admission);
    if (known === undefined) this.groupsOf.set(admission, new Map([[sandboxId, group]]));
    else known.set(sandboxId, group);
    this.groups.add(group);
    for (const topic of topics) {
      const groups = this.byTopic.get(topic);
      if (groups === undefined) this.byTopic.set(topic, new Set([group]));
      else groups.add(group);
    }
    return group;
  }

  private end(group: OpenGroup): void {
    this.groupsOf.get(group.admission)?.delete(group.sandboxId);
    this.groups.delete(group);
    for (const topic of group.topics) {
      const groups = this.byTopic.get(topic);
      groups?.delete(group);
      if (groups?.size === 0) this.byTopic.delete(topic);
    }
  }
}
