/** How much of a core may be spent on reading bodies that come in too many pieces. */
const SHARE = 0.2;

/**
 * A queue for connections whose bodies come in tiny pieces: together they take a fifth of a core, and slow nobody else
 * down.
 */
export class CoolDown {
  private freeAtMs = 0;

  /** @param msPerPiece what reading one piece costs, milliseconds */
  constructor(private readonly msPerPiece: number) {}

  /** How long not to read a connection that has brought this many pieces, milliseconds. */
  waitMs(pieces: number, nowMs: number): number {
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + (pieces * this.msPerPiece) / SHARE;
    return this.freeAtMs - nowMs;
  }
}

/** No app that means well sends more body pieces than this in what is one read for us. */
const MANY_PIECES = 512;
/** What one piece costs (Node 20.20, 2026-11): a read of one-byte chunks takes twenty times as long as any other. */
const agents = new CoolDown(0.000_15);

/** How long not to read an agent's connection after a read that brought this many body pieces, milliseconds. */
export function coolDownMs(pieces: number, nowMs: number): number {
  return pieces <= MANY_PIECES ? 0 : agents.waitMs(pieces, nowMs);
}
