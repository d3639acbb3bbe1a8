/** The largest part of the process's connections that one sandbox may have. */
const SANDBOX_SHARE = 0.25;
/** Most requests that wait for a connection, of one sandbox and of one team. */
const MAX_WAITING_OF_SANDBOX = 1_000;
const MAX_WAITING_OF_TEAM = 4_000;
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

/**
 * What the connections of all sandboxes share: the bound on their number, and whose turn it is to open another. A team may
 * hold as many connections as are still free: half of them if it is alone, a third if there are two that want as many, and so
 * on. So however many some teams hold, there are some for whoever comes next.
 */
export class PoolShares {
  /** The pool's coarse clock, milliseconds; it moves on a few times a second. */
  nowMs = performance.now();
  readonly maxPerSandbox: number;
  private openInAll = 0;
  private readonly openByTeam = new Map<string, number>();
  private readonly waitingByTeam = new Map<string, number>();
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
    this.maxPerSandbox = Math.max(1, Math.floor(maxOpen * SANDBOX_SHARE));
  }

  get size(): number {
    return this.openInAll;
  }

  /** Whether a team may have another connection. To make room, idle ones of some sandboxes may be closed. */
  hasRoomFor(teamId: string): boolean {
    while (this.isFull(teamId)) {
      // What the team gives up itself it may use again.
      if (this.makeRoom(teamId)) return this.openInAll < this.maxOpen;
      if (!this.makeRoom(null)) return false;
    }
    return true;
  }

  open(teamId: string): void {
    this.openInAll += 1;
    add(this.openByTeam, teamId, 1);
  }

  close(teamId: string): void {
    this.openInAll -= 1;
    add(this.openByTeam, teamId, -1);
  }

  /** Whether one more request of a sandbox may wait, of which so many wait already. */
  mayWait(teamId: string, ofSandbox: number): boolean {
    return ofSandbox < MAX_WAITING_OF_SANDBOX && (this.waitingByTeam.get(teamId) ?? 0) < MAX_WAITING_OF_TEAM;
  }

  /** Notes that requests of a team have begun to wait. @param count negative: that they no longer wait */
  noteWaiting(teamId: string, count: number): void {
    add(this.waitingByTeam, teamId, count);
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
    const next = this.next(sharer.teamId);
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

  /** @param givenUp how many more connections would be free */
  private isFull(teamId: string, givenUp = 0): boolean {
    return (this.openByTeam.get(teamId) ?? 0) >= this.maxOpen - this.openInAll + givenUp;
  }

  /**
   * The sandbox whose turn it is, of a team that may have another connection.
   *
   * @param giving a team that is about to give a connection up; it may use that again, even if it has as many as it may have
   */
  private next(giving: string | null): Sharer | null {
    const givenUp = giving === null ? 0 : 1;
    for (const teamId of this.lines.keys()) {
      if (teamId !== giving && this.isFull(teamId, givenUp)) continue;
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

/** Adds to the count of a team; one of 0 is not kept. */
function add(counts: Map<string, number>, teamId: string, change: number): void {
  const count = (counts.get(teamId) ?? 0) + change;
  if (count > 0) counts.set(teamId, count);
  else counts.delete(teamId);
}
