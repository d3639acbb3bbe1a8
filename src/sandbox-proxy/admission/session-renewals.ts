import type { Session, SessionStore } from '../contracts/session-store.js';
import { answerInTime } from '../memory/answer-cache.js';

/** A session in memory. Its end moves while it is used, and what it has open ends with it. */
export interface KeptSession extends Session {
  expiresAtMs: number;
  /** From when on a use asks for its renewal, epoch milliseconds; Infinity: never, or it has been asked for. */
  renewAtMs: number;
}

/** How long sessions that are used are collected before they are renewed together, milliseconds. */
const BATCH_MS = 1_000;
/** Most sessions renewed in one question to the store: as many as the other contracts ask about. */
const BATCH = 500;
/** Most that are collected; a session beyond that is renewed by its next use. */
const MAX_WAITING = 10_000;
/** How much of its time has gone by when a use renews a session: it is asked for at most that often. */
const SHARE_GONE = 0.25;
/** How long to wait after a question without success, as a share of the session's time. */
const SHARE_BEFORE_RETRY = 0.05;

/** As memory keeps it: a copy, since the store may go on using its own. */
export function kept(session: Session): KeptSession {
  return { ...session, renewAtMs: renewAtOf(session, session.expiresAtMs) };
}

/**
 * Prolongs sessions that are used: in batches, off every request's way, and each only once a quarter of its time has gone
 * by. The store decides how often it writes, so that this holds for any number of processes.
 */
export class SessionRenewals {
  private readonly waiting = new Set<KeptSession>();
  private timer: NodeJS.Timeout | null = null;

  /** @param onFailure called when the store has failed; the sessions then end as they would have */
  constructor(
    private readonly store: SessionStore,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** Notes that a session is used, now. Cheap, and never throws: it runs on every request. */
  note(session: KeptSession): void {
    if (Date.now() < session.renewAtMs || this.waiting.size >= MAX_WAITING) return;
    session.renewAtMs = Infinity;
    this.waiting.add(session);
    this.timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref();
  }

  /** Renews what was collected. */
  async flush(): Promise<void> {
    this.timer = null;
    const sessions = [...this.waiting];
    this.waiting.clear();
    for (let i = 0; i < sessions.length; i += BATCH) await this.renew(sessions.slice(i, i + BATCH));
  }

  private async renew(sessions: readonly KeptSession[]): Promise<void> {
    try {
      const ends = await answerInTime(async () => (await this.store.renew?.(sessions)) ?? []);
      if (!Array.isArray(ends) || ends.length !== sessions.length || !ends.every(isEnd))
        throw new TypeError('renew() gave no end for each session');
      for (const [i, session] of sessions.entries()) moveEnd(session, ends[i] ?? null);
    } catch (error) {
      for (const session of sessions) moveEnd(session, session.expiresAtMs);
      this.onFailure(error);
    }
  }
}

/** @param expiresAtMs null: it has ended, and is not asked for again */
function moveEnd(session: KeptSession, expiresAtMs: number | null): void {
  if (expiresAtMs === null) return;
  session.expiresAtMs = expiresAtMs;
  const retryAtMs = Date.now() + (session.renewal?.ttlMs ?? 0) * SHARE_BEFORE_RETRY;
  session.renewAtMs = Math.max(renewAtOf(session, expiresAtMs), retryAtMs);
}

function renewAtOf({ renewal }: Session, expiresAtMs: number): number {
  if (renewal === undefined || expiresAtMs >= renewal.untilMs) return Infinity;
  return expiresAtMs - renewal.ttlMs * (1 - SHARE_GONE);
}

function isEnd(value: unknown): value is number | null {
  return value === null || Number.isFinite(value);
}
