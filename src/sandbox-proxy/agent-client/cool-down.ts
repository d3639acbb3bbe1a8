/** How much of a core may be spent on reading bodies that come in too many pieces. */
const SHARE = 0.2;

/** Most lines at a time; who comes when there are so many waits in one line with others. */
const MAX_LINES = 1_000;
const OTHERS = '';

/**
 * Lines of connections whose bodies come in tiny pieces: together they take a fifth of a core, and slow nobody else down.
 * Each line has an equal part of that, so that nobody waits for what another line has brought. What a connection has
 * cost is paid for by its line even if it closes: otherwise a new connection each time would cost nothing.
 */
export class CoolDown {
  /** Until when each line has used up its part; what is past is forgotten. */
  private readonly freeAtMs = new Map<string, number>();

  /** @param msPerPiece what reading one piece costs, milliseconds */
  constructor(private readonly msPerPiece: number) {}

  /** How long not to read a connection of this line that has brought this many pieces, milliseconds. */
  waitMs(line: string, pieces: number, nowMs: number): number {
    const { freeAtMs } = this;
    for (const [each, atMs] of freeAtMs) if (atMs <= nowMs) freeAtMs.delete(each);
    const own = freeAtMs.has(line) || freeAtMs.size < MAX_LINES ? line : OTHERS;
    const fromMs = freeAtMs.get(own) ?? nowMs;
    freeAtMs.set(own, fromMs);
    const toMs = fromMs + (pieces * this.msPerPiece * freeAtMs.size) / SHARE;
    freeAtMs.set(own, toMs);
    return toMs - nowMs;
  }
}

/** No app that means well sends more body pieces than this in what is one read for us. */
const MANY_PIECES = 512;
/** What one piece costs (Node 20.20, 2026-11): a read of one-byte chunks takes twenty times as long as any other. */
const agents = new CoolDown(0.000_15);

/**
 * How long not to read a connection to an agent after a read that brought this many body pieces, milliseconds. Each team
 * has a line.
 */
export function coolDownMs(teamId: string, pieces: number, nowMs: number): number {
  return pieces <= MANY_PIECES ? 0 : agents.waitMs(teamId, pieces, nowMs);
}
