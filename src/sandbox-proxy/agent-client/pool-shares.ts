/** The largest part of the process's connections that one team, and one sandbox, may have. */
const TEAM_SHARE = 0.5;
const SANDBOX_SHARE = 0.25;
/** Sandboxes that are offered a connection that has become free, before the next one that does. */
const MAX_TURNS = 64;
/** Agents that are remembered not to accept connections. */
const MAX_SUSPECTS = 1_000;

/** A sandbox's connections, as those of all sandboxes are shared out. */
export interface Sharer {
  readonly teamId: string;
  readonly hasWaiting: boolean;
  /** Starts the longest waiting call on a new connection; false where none waits, or there is no room for it. */
  startWaiting(): boolean;
  /** Closes a connection that is idle; false where none is. */
  dropIdle(): boolean;
}

/** What all sandboxes' connections share: their number, and whose turn it is to have another. */
export class PoolShares {
  /** The pool's coarse clock, milliseconds; it moves on a few times a second. */
  nowMs = performance.now();
  readonly maxPerSandbox: number;
  private readonly maxPerTeam: number;
  private openInAll = 0;
  private readonly openByTeam = new Map<string, number>();
  /** Those that have calls waiting, the longest not served first. */
  private readonly queue = new Set<Sharer>();
  /** By the agent's authority: since when it accepts no connections. */
  private readonly suspects = new Map<string, number>();
  private isWaking = false;

  /**
   * @param maxOpen connections of this process to agents
   * @param sharers all that may have an idle connection
   */
  constructor(
    readonly maxOpen: number,
    private readonly sharers: ReadonlySet<Sharer>,
  ) {
    this.maxPerTeam = Math.max(1, Math.floor(maxOpen * TEAM_SHARE));
    this.maxPerSandbox = Math.max(1, Math.floor(maxOpen * SANDBOX_SHARE));
  }

  get size(): number {
    return this.openInAll;
  }

  /** Whether a team may have another connection; one that lies idle somewhere may have to go for it. */
  hasRoomFor(teamId: string): boolean {
    if ((this.openByTeam.get(teamId) ?? 0) >= this.maxPerTeam && !this.makeRoom(teamId)) return false;
    return this.openInAll < this.maxOpen || this.makeRoom();
  }

  open(teamId: string): void {
    this.openInAll += 1;
    this.openByTeam.set(teamId, (this.openByTeam.get(teamId) ?? 0) + 1);
  }

  close(teamId: string): void {
    this.openInAll -= 1;
    const left = (this.openByTeam.get(teamId) ?? 0) - 1;
    if (left > 0) this.openByTeam.set(teamId, left);
    else this.openByTeam.delete(teamId);
  }

  /** Puts a sandbox in the line of those whose calls wait. */
  await(sharer: Sharer): void {
    this.queue.add(sharer);
  }

  /** It had its turn: whoever waits besides comes first now. */
  served(sharer: Sharer): void {
    this.queue.delete(sharer);
    if (sharer.hasWaiting) this.queue.add(sharer);
  }

  /** Whether a connection that has become free is another's before it is this one's. */
  isTurnOfAnother(sharer: Sharer): boolean {
    if (this.openInAll < this.maxOpen) return false;
    for (const next of this.queue) if (next.hasWaiting) return next !== sharer;
    return false;
  }

  /** Gives out what has become free, to one sandbox after the other. */
  wake(): void {
    if (this.isWaking || this.queue.size === 0) return;
    this.isWaking = true;
    let turns = Math.min(this.queue.size, MAX_TURNS);
    for (const sharer of this.queue) {
      if (turns === 0 || (this.openInAll >= this.maxOpen && !this.makeRoom())) break;
      turns -= 1;
      // One that may have no more itself loses its turn, not its place in the line.
      sharer.startWaiting();
      this.served(sharer);
    }
    this.isWaking = false;
  }

  suspect(authority: string): void {
    if (this.suspects.size >= MAX_SUSPECTS) this.suspects.clear();
    if (!this.suspects.has(authority)) this.suspects.set(authority, this.nowMs);
  }

  trust(authority: string): void {
    if (this.suspects.size > 0) this.suspects.delete(authority);
  }

  /** Since when the agent accepts no connections, on the pool's clock; null where it does. */
  suspectSince(authority: string): number | null {
    return this.suspects.size === 0 ? null : (this.suspects.get(authority) ?? null);
  }

  /** Closes a connection that lies idle, of that team where one is named. */
  private makeRoom(teamId?: string): boolean {
    for (const sharer of this.sharers)
      if ((teamId === undefined || sharer.teamId === teamId) && sharer.dropIdle()) return true;
    return false;
  }
}
