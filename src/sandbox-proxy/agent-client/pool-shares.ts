/** The largest part of the process's connections that one team, and one sandbox, may have. */
const TEAM_SHARE = 0.5;
const SANDBOX_SHARE = 0.25;
/** Most agents remembered as not accepting connections. */
const MAX_SUSPECTS = 1_000;

/** A sandbox's connections, as `PoolShares` sees them. */
export interface Sharer {
  readonly teamId: string;
  /** True if calls wait and the sandbox itself may have another connection. */
  readonly wantsMore: boolean;
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
  /** Sandboxes that want more, by team. First come the team, and in its line the sandbox, not served for longest. */
  private readonly lines = new Map<string, Set<Sharer>>();
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
    if (this.isFull(teamId) && !this.makeRoom(teamId)) return false;
    return this.openInAll < this.maxOpen || this.makeRoom(null);
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

  /** Puts a sandbox into the line of its team. */
  await(sharer: Sharer): void {
    const line = this.lines.get(sharer.teamId);
    if (line === undefined) this.lines.set(sharer.teamId, new Set([sharer]));
    else line.add(sharer);
  }

  /** The sandbox had its turn: it goes to the end of its team's line, and the team to the end of the teams. */
  served(sharer: Sharer): void {
    const { teamId } = sharer;
    const line = this.lines.get(teamId);
    if (line === undefined) return;
    line.delete(sharer);
    if (sharer.wantsMore) line.add(sharer);
    this.lines.delete(teamId);
    if (line.size > 0) this.lines.set(teamId, line);
  }

  /** Whether a connection that this sandbox has set free should be given up, because another sandbox is next. */
  isTurnOfAnother(sharer: Sharer): boolean {
    if (this.lines.size === 0) return false;
    const isFull = this.openInAll >= this.maxOpen;
    if (!isFull && !this.isFull(sharer.teamId)) return false;
    // The team that sets a connection free may use it again, even if it has as many as it may have.
    const next = isFull ? this.next(sharer.teamId) : this.firstOf(sharer.teamId);
    return next !== null && next !== sharer;
  }

  /** Lets waiting sandboxes open connections while there is room: teams in turn, and the sandboxes of each in turn. */
  wake(): void {
    if (this.isWaking || this.lines.size === 0) return;
    this.isWaking = true;
    try {
      for (let next = this.next(null); next !== null; next = this.next(null)) {
        const hasStarted = next.startWaiting();
        if (!hasStarted && next.wantsMore) break;
        this.served(next);
      }
    } finally {
      this.isWaking = false;
    }
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

  private isFull(teamId: string): boolean {
    return (this.openByTeam.get(teamId) ?? 0) >= this.maxPerTeam;
  }

  /**
   * The sandbox whose turn it is, of a team that may have another connection.
   *
   * @param giving a team that counts as one, because it is about to give a connection up
   */
  private next(giving: string | null): Sharer | null {
    for (const teamId of this.lines.keys()) {
      if (this.isFull(teamId) && teamId !== giving) continue;
      const first = this.firstOf(teamId);
      if (first !== null) return first;
    }
    return null;
  }

  /** The first sandbox in a team's line that still wants more; those before it leave the line. */
  private firstOf(teamId: string): Sharer | null {
    const line = this.lines.get(teamId);
    if (line === undefined) return null;
    for (const sharer of line) {
      if (sharer.wantsMore) return sharer;
      line.delete(sharer);
    }
    this.lines.delete(teamId);
    return null;
  }

  /** Closes an idle connection. @param teamId of this team; null: of any */
  private makeRoom(teamId: string | null): boolean {
    for (const sharer of this.sharers)
      if ((teamId === null || sharer.teamId === teamId) && sharer.dropIdle()) return true;
    return false;
  }
}
