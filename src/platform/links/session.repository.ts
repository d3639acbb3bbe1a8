import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { BegunSession, EndedSession, SessionEnd } from '../../sandbox-proxy/index.js';
import { CHANNEL } from '../database/feed-triggers.js';
import { hashToken, isTokenOf, newToken, type PresentedToken, type TokenPlace } from './access-token.js';
import { pruneSessions } from './tombstones.js';

/** What links and sessions have in common, as stored in the tables. */
interface AccessRow {
  /** UUIDs. */
  readonly id: string;
  readonly sandboxId: string;
  readonly teamId: string;
  /** Of a link: the one at which it is opened. */
  readonly port: number;
  /** All ports of the link; null: it has no other. */
  readonly ports: readonly number[] | null;
  readonly embed: boolean;
  readonly allowedOrigins: readonly string[];
  /** SHA-256. */
  readonly tokenHash: Buffer;
  /** Epoch milliseconds. */
  readonly expiresAtMs: number;
  /** Null while it is good: while a link may begin a session. */
  readonly ended: SessionEnd | null;
}

/** A session. */
export interface SessionRow extends AccessRow {
  readonly linkId: string;
  /** How long it lasts after its last use, and until when at most; null where its use does not prolong it. */
  readonly renewSeconds: number | null;
  readonly renewUntilMs: number | null;
}

/** A link, also one that begins no session any more. */
export interface LinkRow extends AccessRow {
  /** True if it may begin only one session. */
  readonly once: boolean;
}

/** Sessions of one link: the oldest ends where another begins. */
const MAX_SESSIONS = 1_000;

/** When a session `c` of the link `l` ends: with its link at the latest. */
const END_OF_SESSION = 'least(c.expires_at, coalesce(l.renew_until, l.expires_at))';

/** When a session of a link ends that begins now and is not used again. */
const FIRST_END = `coalesce(least(l.renew_until, now() + l.renew_seconds * interval '1 second'), l.expires_at)`;

/** How long the exchange for another port of a link is good. */
const EXCHANGE_END = `now() + interval '1 minute'`;

const asMs = (instant: string): string => `(extract(epoch FROM ${instant}) * 1000)::float8`;

const SESSION = `
  SELECT c.id, l.id AS "linkId", l.sandbox_id AS "sandboxId", s.team_id AS "teamId", coalesce(c.port, l.port) AS port, l.ports,
         l.embed, l.allowed_origins AS "allowedOrigins", c.token_hash AS "tokenHash",
         ${asMs(END_OF_SESSION)} AS "expiresAtMs",
         l.renew_seconds AS "renewSeconds", ${asMs('l.renew_until')} AS "renewUntilMs",
         CASE WHEN c.ended_reason IS NOT NULL THEN c.ended_reason
              WHEN l.revoked_at IS NOT NULL OR t.deleted_at IS NOT NULL THEN 'revoked'
              WHEN ${END_OF_SESSION} <= now() THEN 'expired' END AS ended
    FROM sandbox_sessions c
    JOIN sandbox_links l ON l.id = c.link_id
    JOIN sandboxes s ON s.id = l.sandbox_id
    JOIN teams t ON t.id = s.team_id
   WHERE c.id = ANY($1::uuid[]) AND NOT c.pending`;

const LINK = `
  SELECT l.id, l.sandbox_id AS "sandboxId", s.team_id AS "teamId", l.port, l.ports, l.embed,
         l.allowed_origins AS "allowedOrigins", ${asMs('l.expires_at')} AS "expiresAtMs", l.token_hash AS "tokenHash", l.once,
         CASE WHEN l.revoked_at IS NOT NULL OR t.deleted_at IS NOT NULL THEN 'revoked'
              WHEN l.once AND l.used_at IS NOT NULL THEN 'used'
              WHEN l.expires_at <= now() THEN 'expired' END AS ended
    FROM sandbox_links l
    JOIN sandboxes s ON s.id = l.sandbox_id
    JOIN teams t ON t.id = s.team_id
   WHERE l.id = ANY($1::uuid[])`;

/**
 * Ends all but the newest `$2` sessions of the link `$1`. The table has no trigger, so the query itself sends the
 * messages about those that it ends.
 */
const END_OLDEST = `
  WITH ended AS (
    UPDATE sandbox_sessions SET expires_at = now(), ended_reason = 'replaced' WHERE id IN (
      SELECT id FROM sandbox_sessions WHERE link_id = $1 AND expires_at > now()
       ORDER BY created_at DESC, id OFFSET $2)
    RETURNING id)
  SELECT pg_notify($3, json_build_object('table', 'sandbox_sessions', 'id', id)::text) FROM ended`;

/**
 * SKIP LOCKED, so that two processes that renew overlapping lists neither wait for one another nor deadlock, and neither do a
 * process and whoever pauses a sandbox. What has ended meanwhile is looked at again once the row is locked.
 */
const RENEW = `
  WITH good AS (
    SELECT c.id, c.expires_at, l.renew_until, l.renew_seconds * interval '1 second' AS ttl
      FROM sandbox_sessions c
      JOIN sandbox_links l ON l.id = c.link_id
      JOIN sandboxes s ON s.id = l.sandbox_id
      JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
     WHERE c.id = ANY($1::uuid[]) AND least(c.expires_at, l.renew_until) > now() AND l.revoked_at IS NULL),
  due AS (
    SELECT c.id, least(good.renew_until, now() + good.ttl) AS until FROM sandbox_sessions c JOIN good USING (id)
     WHERE c.expires_at > now() AND c.ended_reason IS NULL
       AND c.expires_at < least(good.renew_until, now() + 0.75 * good.ttl)
       FOR NO KEY UPDATE OF c SKIP LOCKED),
  renewed AS (
    UPDATE sandbox_sessions c SET expires_at = due.until FROM due WHERE c.id = due.id RETURNING c.id, c.expires_at)
  SELECT id, ${asMs('least(coalesce(renewed.expires_at, good.expires_at), good.renew_until)')} AS "expiresAtMs"
    FROM good LEFT JOIN renewed USING (id)`;

/** The queries for links and sessions. */
@Injectable()
export class SessionRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** These sessions, also those that have ended, as long as they are remembered. @param ids UUIDs */
  findMany(ids: readonly string[]): Promise<SessionRow[]> {
    return this.dataSource.query<SessionRow[]>(SESSION, [ids]);
  }

  /**
   * Prolongs those of these sessions that are good: when each of them ends now. A session is written at most once for each
   * quarter of its time, however many processes ask. One that another process is writing keeps the end that it has.
   */
  renew(ids: readonly string[]): Promise<{ readonly id: string; readonly expiresAtMs: number }[]> {
    return this.dataSource.query(RENEW, [ids]);
  }

  /** These links, also those that begin no session any more, as long as they are remembered. @param ids UUIDs */
  findLinks(ids: readonly string[]): Promise<LinkRow[]> {
    return this.dataSource.query<LinkRow[]>(LINK, [ids]);
  }

  /**
   * Begins a session by a link's token. Null if the token is not good at that place; the reason if it is good no more.
   * Whether one for one browser has been used is decided by one UPDATE, so that of any number at the same time only one
   * gets a session.
   */
  async begin(presented: PresentedToken, place: TokenPlace): Promise<BegunSession | EndedSession | null> {
    return this.dataSource.transaction(async (manager) => {
      const link = await findHeldLink(manager, presented, place);
      if (link === null) return null;
      const [, taken] = await manager.query<[unknown, number]>(
        `UPDATE sandbox_links SET used_at = coalesce(used_at, now())
          WHERE id = $1 AND revoked_at IS NULL AND (NOT once OR used_at IS NULL)`,
        [presented.id],
      );
      if (taken !== 1) {
        const [now] = await manager.query<LinkRow[]>(LINK, [[presented.id]]);
        return now === undefined || now.ended === null ? null : { ended: now.ended, embed: now.embed };
      }
      const others = (link.ports ?? []).filter((port) => port !== place.port);
      await manager.query(END_OLDEST, [presented.id, MAX_SESSIONS - 1 - others.length, CHANNEL]);
      await pruneSessions(manager, place.sandboxId);
      const id = randomUUID();
      const { token, hash } = newToken('session', id, place);
      const [begun] = await manager.query<{ expiresAtMs: number }[]>(
        `INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash, expires_at)
         SELECT $1::uuid, l.id, l.sandbox_id, $2::bytea, ${FIRST_END} FROM sandbox_links l WHERE l.id = $3
         RETURNING ${asMs('expires_at')} AS "expiresAtMs"`,
        [id, hash, presented.id],
      );
      const exchanges: { port: number; token: string }[] = [];
      for (const port of others)
        exchanges.push({ port, token: await prepareExchange(manager, presented.id, { ...place, port }) });
      return {
        token,
        embed: link.embed,
        expiresAtMs: begun?.expiresAtMs ?? 0,
        ...(exchanges.length > 0 && { others: exchanges }),
      };
    });
  }

  /**
   * Begins the session that a link's exchange has prepared at another of its ports. One UPDATE decides, so that of any number
   * at the same time only one gets it. Null if the token is not good at that place, or not any more.
   */
  async claim({ id, token }: PresentedToken, place: TokenPlace): Promise<BegunSession | null> {
    const session = newToken('session', id, place);
    const [[begun]] = await this.dataSource.query<[{ embed: boolean; expiresAtMs: number }[], number]>(
      `UPDATE sandbox_sessions c SET token_hash = $1, pending = false, expires_at = ${FIRST_END}
         FROM sandbox_links l, sandboxes s, teams t
        WHERE c.id = $2 AND c.pending AND c.token_hash = $3 AND c.expires_at > now()
          AND l.id = c.link_id AND l.revoked_at IS NULL AND l.expires_at > now()
          AND s.id = l.sandbox_id AND t.id = s.team_id AND t.deleted_at IS NULL
        RETURNING l.embed, ${asMs('c.expires_at')} AS "expiresAtMs"`,
      [session.hash, id, hashToken('exchange', token, place)],
    );
    return begun === undefined ? null : { token: session.token, ...begun };
  }
}

/**
 * The link of this token, if it is for this place and has not expired; otherwise null. Its sandbox is locked: if somebody
 * pauses it now, the pause waits, and then also ends the session that is being begun.
 */
async function findHeldLink(
  manager: EntityManager,
  presented: PresentedToken,
  place: TokenPlace,
): Promise<{ readonly embed: boolean; readonly ports: readonly number[] | null } | null> {
  const [link] = await manager.query<{ hash: Buffer; embed: boolean; ports: number[] | null }[]>(
    `SELECT l.token_hash AS hash, l.embed, l.ports
       FROM sandbox_links l
       JOIN sandboxes s ON s.id = l.sandbox_id
       JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
      WHERE l.id = $1 AND l.sandbox_id = $2 AND l.port = $3 AND l.expires_at > now() FOR SHARE OF s`,
    [presented.id, place.sandboxId, place.port],
  );
  return link === undefined || !isTokenOf('link', presented, place, link.hash) ? null : link;
}

/** A session at another port of the link, which waits for its exchange. @returns the token for that */
async function prepareExchange(manager: EntityManager, linkId: string, place: TokenPlace): Promise<string> {
  const id = randomUUID();
  const { token, hash } = newToken('exchange', id, place);
  await manager.query(
    `INSERT INTO sandbox_sessions (id, link_id, sandbox_id, port, token_hash, expires_at, pending)
     VALUES ($1, $2, $3, $4, $5, ${EXCHANGE_END}, true)`,
    [id, linkId, place.sandboxId, place.port, hash],
  );
  return token;
}
