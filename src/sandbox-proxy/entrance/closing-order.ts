/** A client connection, as far as it matters for the question which one is closed in favour of a new one. */
export interface Closable {
  /** A request on it has shown a credential that admitted; otherwise it is a stranger's. */
  readonly isKnown: boolean;
  /** Whom it comes from, as a key: connections of one network are counted together. */
  readonly network: unknown;
  readonly acceptedAtMs: number;
  /** Since when it has had no request under way, milliseconds; null: one is, or is about to come. */
  readonly idleSinceMs: number | null;
  /** What waits for its client is not being read. */
  readonly isStuck: boolean;
  /** It is there no more. */
  readonly isGone: boolean;
}

/** A network whose strangers hold more than this share of all connections is a crowd. */
const CROWD_SHARE = 1 / 8;

/** Why a connection may be closed; the lower, the sooner. */
const REASONS = { idleInCrowd: 0, inCrowd: 1, idle: 2, stuck: 3, stranger: 4 } as const;
type Reason = (typeof REASONS)[keyof typeof REASONS];

interface Ranked<Connection> {
  readonly connection: Connection;
  readonly reason: Reason;
  /** How many strangers its network holds; 0 if that does not matter. */
  readonly crowd: number;
  readonly sinceMs: number;
}

/**
 * In which order client connections are closed in favour of new ones: those of a crowd, first idle ones; then idle ones,
 * whosever they are; then those that do not read their answers; then strangers with a request under way. Among equals the
 * network that holds most comes first, then the longest idle or the oldest. A known client that has a request under way and
 * reads what it gets is never closed.
 */
export class ClosingOrder<Connection extends Closable> {
  private readonly strangersIn = new Map<unknown, number>();
  /** The last is the next. */
  private readonly ranked: Ranked<Connection>[];

  /**
   * @param connections in the order of their acceptance
   * @param max how many there may be
   */
  constructor(
    connections: Iterable<Connection>,
    private readonly max: number,
  ) {
    const all = [...connections];
    for (const { isKnown, network } of all)
      if (!isKnown) this.strangersIn.set(network, (this.strangersIn.get(network) ?? 0) + 1);
    // Of equals the oldest comes last.
    this.ranked = all.flatMap((connection) => this.rank(connection) ?? []).toReversed();
    this.ranked.sort((a, b) => b.reason - a.reason || a.crowd - b.crowd || b.sinceMs - a.sinceMs);
  }

  /** How many are left. */
  get size(): number {
    return this.ranked.length;
  }

  /** The next one for which its reason still holds; null: there is none left. */
  next(): Connection | null {
    for (;;) {
      const last = this.ranked.pop();
      if (last === undefined) return null;
      const reason = last.connection.isGone ? null : this.reasonAgainst(last.connection);
      if (reason !== null && reason <= last.reason) return last.connection;
    }
  }

  private rank(connection: Connection): Ranked<Connection> | null {
    const reason = this.reasonAgainst(connection);
    if (reason === null) return null;
    const isByNetwork = reason !== REASONS.idle && reason !== REASONS.stuck;
    const sinceMs = connection.idleSinceMs ?? connection.acceptedAtMs;
    return { connection, reason, crowd: isByNetwork ? this.strangersBeside(connection) : 0, sinceMs };
  }

  private reasonAgainst(connection: Connection): Reason | null {
    const isIdle = connection.idleSinceMs !== null;
    if (this.strangersBeside(connection) > this.max * CROWD_SHARE)
      return isIdle ? REASONS.idleInCrowd : REASONS.inCrowd;
    if (isIdle) return REASONS.idle;
    if (connection.isStuck) return REASONS.stuck;
    return connection.isKnown ? null : REASONS.stranger;
  }

  /** How many strangers there are in the network of a stranger; 0 for a known client. */
  private strangersBeside({ isKnown, network }: Connection): number {
    return isKnown ? 0 : (this.strangersIn.get(network) ?? 0);
  }
}
