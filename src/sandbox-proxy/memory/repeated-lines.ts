/** Time between two lines of one kind, milliseconds. */
const INTERVAL_MS = 1_000;
/** Most kinds that are told apart within that time; all further ones count as one more kind. */
const MAX_KINDS = 200;
const FURTHER_KINDS = 'further kinds';

interface LastLine {
  readonly atMs: number;
  suppressed: number;
}

/** Lets one line of each kind pass per second, so that a failure of every request is not a flood of lines. */
export class RepeatedLines {
  private readonly lastLines = new Map<string, LastLine>();

  /** @param clock never goes back, milliseconds */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** @returns null to leave this line out; otherwise how many lines of this kind were left out since the last one. */
  pass(kind = ''): number | null {
    const now = this.clock();
    const known = this.lastLines.has(kind) || this.hasRoom(now) ? kind : FURTHER_KINDS;
    const last = this.lastLines.get(known);
    if (last !== undefined && now - last.atMs < INTERVAL_MS) {
      last.suppressed += 1;
      return null;
    }
    this.lastLines.set(known, { atMs: now, suppressed: 0 });
    return last?.suppressed ?? 0;
  }

  private hasRoom(now: number): boolean {
    if (this.lastLines.size < MAX_KINDS) return true;
    for (const [kind, { atMs }] of this.lastLines) if (now - atMs >= INTERVAL_MS) this.lastLines.delete(kind);
    return this.lastLines.size < MAX_KINDS;
  }
}
