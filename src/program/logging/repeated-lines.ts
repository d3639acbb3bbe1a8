/** Between two lines of one kind, milliseconds. */
const INTERVAL_MS = 1_000;
/** Kinds that are told apart within that time; what is beyond them counts as one kind more. */
const MAX_KINDS = 200;
const FURTHER_KINDS = 'further kinds';

interface LastLine {
  readonly atMs: number;
  suppressed: number;
}

/** Lets one line of a kind pass each second, so that what goes wrong with every request is not a flood of lines as well. */
export class RepeatedLines {
  private readonly lastLines = new Map<string, LastLine>();

  /** @param clock milliseconds that only ever grow */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** @returns how many lines were left out since the last one of this kind; null where this one is left out, too. */
  pass(kind: string): number | null {
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
