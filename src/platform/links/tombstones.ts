import type { EntityManager } from 'typeorm';

/**
 * Links and sessions that have ended stay for a while, so that whoever shows the whole token of one is told what happened.
 * Of one sandbox only the last ones stay, and none for longer than a browser keeps a cookie.
 */
const DAYS = 30;
const MAX_LINKS = 200;
const MAX_SESSIONS = 1_000;

/** Deletes the sessions of a sandbox that ended too long, or too many ends, ago. @param sandboxId UUID */
export async function pruneSessions(manager: EntityManager, sandboxId: string): Promise<void> {
  await prune(manager, 'sandbox_sessions', 'expires_at', sandboxId, MAX_SESSIONS);
}

/** The same for its links; what is left of their sessions goes with them. @param sandboxId UUID */
export async function pruneLinks(manager: EntityManager, sandboxId: string): Promise<void> {
  await prune(manager, 'sandbox_links', 'coalesce(renew_until, expires_at)', sandboxId, MAX_LINKS);
}

/** Rows that are locked are left for the next time: whoever waited for them could be waited for. */
async function prune(
  manager: EntityManager,
  table: string,
  endedAt: string,
  sandboxId: string,
  max: number,
): Promise<void> {
  await manager.query(
    `DELETE FROM ${table} WHERE id IN (
       SELECT id FROM ${table} WHERE id IN (
           (SELECT id FROM ${table} WHERE sandbox_id = $1 AND ${endedAt} <= now()
             ORDER BY ${endedAt} DESC, id OFFSET $2)
           UNION ALL
           SELECT id FROM ${table} WHERE sandbox_id = $1 AND ${endedAt} < now() - interval '${DAYS} days')
          FOR UPDATE SKIP LOCKED)`,
    [sandboxId, max],
  );
}
