import type { Admission } from '../admission/credential-scheme.js';
import type { CutReason } from './cut-reason.js';

/** Something open that an admission has opened: a request under way, or a tunnel. */
export interface Live {
  readonly admission: Admission | null;
  /** The group that it is in, and where in it; written by groups alone. */
  group: LiveGroup | null;
  index: number;
  /** Ends it, now. */
  cut(reason: CutReason): void;
}

/**
 * What one key has let in, or what is open to one sandbox. Every request goes in and out once, so members know their
 * places, and nothing is hashed.
 */
export class LiveGroup {
  private readonly members: Live[] = [];

  /** @param id of the key (its hash), or of the sandbox (UUID) */
  constructor(readonly id: string) {}

  get size(): number {
    return this.members.length;
  }

  add(live: Live): void {
    live.group?.delete(live);
    live.group = this;
    live.index = this.members.push(live) - 1;
  }

  delete(live: Live): void {
    if (live.group !== this) return;
    live.group = null;
    const last = this.members.pop() as Live;
    if (last === live) return;
    this.members[live.index] = last;
    last.index = live.index;
  }

  /** What is open now; it may be taken out meanwhile. */
  [Symbol.iterator](): IterableIterator<Live> {
    return this.members.slice().values();
  }

  /** Ends those that an admission has let in which is of concern. */
  cut(concerns: (admission: Admission) => boolean, reason: CutReason = 'revoked'): void {
    for (const live of this) {
      if (live.group !== this || live.admission === null || !concerns(live.admission)) continue;
      this.delete(live);
      live.cut(reason);
    }
  }
}
