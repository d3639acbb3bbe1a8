import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import type { BegunSession } from '../../sandbox-proxy/index.js';
import { CHANNEL } from '../database/feed-triggers.js';
import { isTokenOf, newToken, type PresentedToken, type TokenPlace } from './access-token.js';

/** A session, as stored in the tables. */
export interface SessionRow {
  /** UUIDs. */
  readonly id: string;
  readonly linkId: string;
  readonly sandboxId: string;
  readonly teamId: string;
  readonly port: number;
  readonly embed: boolean;
  readonly allowedOrigins: readonly string[];
  /** SHA-256 of the cookie. */
  readonly tokenHash: Buffer;
  /** When its link expires, epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** A link that may still begin a session. */
export interface OpenLink {
  /** UUID. */
  readonly id: string;
  readonly tokenHash: Buffer;
  /** True if it may begin only one session. */
  readonly once: boolean;
}

/** Sessions of one link: the oldest ends where another begins. */
const MAX_SESSIONS = 1_000;

const SESSION = `
  SELECT c.id, l.id AS "linkId", l.sandbox_id AS "sandboxId", s.team_id AS "teamId", l.port, l.embed,
         l.allowed_origins AS "allowedOrigins", c.token_hash AS "tokenHash",
         (extract(epoch FROM l.expires_at) * 1000)::float8 AS "expiresAtMs"
    FROM sandbox_sessions c
    JOIN sandbox_links l ON l.id = c.link_id
    JOIN sandboxes s ON s.id = l.sandbox_id
    JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
   WHERE l.expires_at > now()`;

/**
 * Deletes all but the newest `$2` sessions of the link `$1`. The table has no trigger, so the query itself sends the
 * messages about those that it deletes.
 */
const END_OLDEST = `
  WITH ended AS (
    DELETE FROM sandbox_sessions WHERE id IN (
      SELECT id FROM sandbox_sessions WHERE link_id = $1 ORDER BY created_at DESC, id OFFSET $2)
    RETURNING id)
  SELECT pg_notify($3, json_build_object('table', 'sandbox_sessions', 'id', id)::text) FROM ended`;

/** The queries for links and sessions. */
@Injectable()
export class SessionRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Those of these sessions that still exist. @param ids UUIDs */
  findMany(ids: readonly string[]): Promise<SessionRow[]> {
    return this.dataSource.query<SessionRow[]>(`${SESSION} AND c.id = ANY($1::uuid[])`, [ids]);
  }

  /** Those of these links that may still begin a session. @param ids UUIDs */
  findLinks(ids: readonly string[]): Promise<OpenLink[]> {
    return this.dataSource.query<OpenLink[]>(
      `SELECT id, token_hash AS "tokenHash", once FROM sandbox_links
        WHERE id = ANY($1::uuid[]) AND expires_at > now() AND (NOT once OR used_at IS NULL)`,
      [ids],
    );
  }

  /**
   * Begins a session by a link's token. Null if the token is not good at that place, has expired, or was for one
   * browser and has been used. The latter is decided by one UPDATE, so that of any number at the same time only one
   * gets a session.
   */
  async begin(presented: PresentedToken, place: TokenPlace): Promise<BegunSession | null> {
    return this.dataSource.transaction(async (manager) => {
      const link = await findHeldLink(manager, presented, place);
      if (link === null) return null;
      const [, taken] = await manager.query<[unknown, number]>(
        `UPDATE sandbox_links SET used_at = coalesce(used_at, now())
          WHERE id = $1 AND (NOT once OR used_at IS NULL)`,
        [presented.id],
      );
      if (taken !== 1) return null;
      await manager.query(END_OLDEST, [presented.id, MAX_SESSIONS - 1, CHANNEL]);
      const id = randomUUID();
      const { token, hash } = newToken('session', id, place);
      await manager.query(
        'INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash) VALUES ($1, $2, $3, $4)',
        [id, presented.id, place.sandboxId, hash],
      );
      return { token, embed: link.embed, expiresAtMs: link.expiresAtMs };
    });
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
): Promise<{ readonly embed: boolean; readonly expiresAtMs: number } | null> {
  const [link] = await manager.query<{ hash: Buffer; embed: boolean; expiresAtMs: number }[]>(
    `SELECT l.token_hash AS hash, l.embed,
            (extract(epoch FROM l.expires_at) * 1000)::float8 AS "expiresAtMs"
       FROM sandbox_links l
       JOIN sandboxes s ON s.id = l.sandbox_id
       JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
      WHERE l.id = $1 AND l.sandbox_id = $2 AND l.port = $3 AND l.expires_at > now() FOR SHARE OF s`,
    [presented.id, place.sandboxId, place.port],
  );
  return link === undefined || !isTokenOf('link', presented, place, link.hash) ? null : link;
}
