/** How much of a core the reading of bodies may have that come in more pieces than they need. */
const SHARE = 0.2;

/**
 * A line in which connections wait whose bodies come in tiny pieces: together they take a fifth of a core, and nobody else
 * is slowed by them.
 */
export class CoolDown {
  private freeAtMs = 0;

  /** @param msPerPiece what reading one piece costs, milliseconds */
  constructor(private readonly msPerPiece: number) {}

  /** How long a connection has to be left alone that has brought so many pieces, milliseconds. */
  waitMs(pieces: number, nowMs: number): number {
    this.freeAtMs = Math.max(this.freeAtMs, nowMs) + (pieces * this.msPerPiece) / SHARE;
    return this.freeAtMs - nowMs;
  }
}

/** More body pieces than this in one read of an agent's bytes is not how anybody sends a body in earnest. */
const MANY_PIECES = 512;
/** What reading one piece costs (Node 20.20, 2026-11): a read of one-byte chunks is twenty times as dear as another. */
const agents = new CoolDown(0.000_15);

/** How long an agent's connection has to be left alone after a read that brought so many body pieces, milliseconds. */
export function coolDownMs(pieces: number, nowMs: number): number {
  return pieces <= MANY_PIECES ? 0 : agents.waitMs(pieces, nowMs);
}
