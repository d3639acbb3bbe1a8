/** The largest part of the process's connections that one team, and one sandbox, may have. */
const TEAM_SHARE = 0.5;
const SANDBOX_SHARE = 0.25;
/** How many waiting sandboxes are tried when a connection becomes free. */
const MAX_TURNS = 64;
/** Most agents remembered as not accepting connections. */
const MAX_SUSPECTS = 1_000;

/** A sandbox's connections, as `PoolShares` sees them. */
export interface Sharer {
  readonly teamId: string;
  readonly hasWaiting: boolean;
  /** Starts the call that has waited longest on a new connection; false if none waits, or there is no room. */
  startWaiting(): boolean;
  /** Closes an idle connection; false if there is none. */
  dropIdle(): boolean;
}

/** What the connections of all sandboxes share: the bound on their number, and whose turn it is to open another. */
export class PoolShares {
  /** The pool's coarse clock, milliseconds; it moves on a few times a second. */
  nowMs = performance.now();
  readonly maxPerSandbox: number;
  private readonly maxPerTeam: number;
  private openInAll = 0;
  private readonly openByTeam = new Map<string, number>();
  /** Those that have calls waiting; first the one that has not been served for longest. */
  private readonly queue = new Set<Sharer>();
  /** By the agent's authority: since when it has accepted no connections. */
  private readonly suspects = new Map<string, number>();
  private isWaking = false;

  /**
   * @param maxOpen most connections of this process to agents
   * @param sharers all that may have an idle connection; `PoolShares` only reads this
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

  /** Whether a team may have another connection. To make room, an idle one of some sandbox may be closed. */
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

  /** Puts a sandbox into the queue of those whose calls wait. */
  await(sharer: Sharer): void {
    this.queue.add(sharer);
  }

  /** The sandbox had its turn: it goes to the end of the queue, or out of it. */
  served(sharer: Sharer): void {
    this.queue.delete(sharer);
    if (sharer.hasWaiting) this.queue.add(sharer);
  }

  /** Whether a connection that this sandbox has set free should be given up, because another sandbox is next. */
  isTurnOfAnother(sharer: Sharer): boolean {
    if (this.openInAll < this.maxOpen) return false;
    for (const next of this.queue) if (next.hasWaiting) return next !== sharer;
    return false;
  }

  /** Lets waiting sandboxes open connections while there is room, one after the other. */
  wake(): void {
    if (this.isWaking || this.queue.size === 0) return;
    this.isWaking = true;
    let turns = Math.min(this.queue.size, MAX_TURNS);
    for (const sharer of this.queue) {
      if (turns === 0 || (this.openInAll >= this.maxOpen && !this.makeRoom())) break;
      turns -= 1;
      // One that has reached its own bound goes to the end of the queue too, and stays in it.
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

  /** Since when the agent has accepted no connections, on the pool's clock; null: it accepts them. */
  suspectSince(authority: string): number | null {
    return this.suspects.size === 0 ? null : (this.suspects.get(authority) ?? null);
  }

  /** Closes an idle connection, of this team if one is given. */
  private makeRoom(teamId?: string): boolean {
    for (const sharer of this.sharers)
      if ((teamId === undefined || sharer.teamId === teamId) && sharer.dropIdle()) return true;
    return false;
  }
}
