import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { isTokenOf, newToken, type PresentedToken, type TokenPlace } from './access-token.js';

/** What a browser is let in by: a session that came from a link. */
export interface Session {
  /** UUIDs. */
  readonly linkId: string;
  readonly sandboxId: string;
  readonly teamId: string;
  readonly port: number;
  readonly embed: boolean;
  readonly allowedOrigins: readonly string[];
  /** SHA-256 of the cookie. */
  readonly tokenHash: Buffer;
  /** Epoch milliseconds; that of the link. */
  readonly expiresAtMs: number;
}

/** A session just begun: the only moment at which the cookie's value is known. */
export interface BegunSession {
  readonly token: string;
  readonly embed: boolean;
  readonly expiresAtMs: number;
}

/** Sessions of one link; the oldest ends when one more begins. */
const MAX_SESSIONS = 1_000;

const SESSION = `
  SELECT l.id AS "linkId", l.sandbox_id AS "sandboxId", s.team_id AS "teamId", l.port, l.embed,
         l.allowed_origins AS "allowedOrigins", c.token_hash AS "tokenHash",
         (extract(epoch FROM l.expires_at) * 1000)::float8 AS "expiresAtMs"
    FROM sandbox_sessions c
    JOIN sandbox_links l ON l.id = c.link_id
    JOIN sandboxes s ON s.id = l.sandbox_id
    JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
   WHERE l.expires_at > now()`;

/** The questions that a browser's credentials put to the database. */
@Injectable()
export class SessionRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** @param id UUID */
  async find(id: string): Promise<Session | null> {
    const [session] = await this.dataSource.query<Session[]>(`${SESSION} AND c.id = $1`, [id]);
    return session ?? null;
  }

  /** Of these links, those that still have a session: what has been opened by the others must end. */
  async linksWithSession(linkIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.dataSource.query<Session[]>(`${SESSION} AND l.id = ANY($1::uuid[])`, [linkIds]);
    return new Set(rows.map(({ linkId }) => linkId));
  }

  /**
   * Begins a session by a link's token, or null where the token is not good at that place, has expired, or was for one
   * browser and another has had it: that is decided by one update, so that of any number at once one wins.
   */
  async begin(presented: PresentedToken, place: TokenPlace): Promise<BegunSession | null> {
    return this.dataSource.transaction(async (manager) => {
      const [link] = await manager.query<
        { hash: Buffer; once: boolean; embed: boolean; expiresAtMs: number }[]
      >(
        `SELECT l.token_hash AS hash, l.once, l.embed,
                (extract(epoch FROM l.expires_at) * 1000)::float8 AS "expiresAtMs"
           FROM sandbox_links l
           JOIN sandboxes s ON s.id = l.sandbox_id
           JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
          WHERE l.id = $1 AND l.sandbox_id = $2 AND l.port = $3 AND l.expires_at > now()`,
        [presented.id, place.sandboxId, place.port],
      );
      if (link === undefined || !isTokenOf('link', presented, place, link.hash)) return null;
      const [, taken] = await manager.query<[unknown, number]>(
        `UPDATE sandbox_links SET used_at = coalesce(used_at, now())
          WHERE id = $1 AND (NOT once OR used_at IS NULL)`,
        [presented.id],
      );
      if (taken !== 1) return null;
      const id = randomUUID();
      const { token, hash } = newToken('session', id, place);
      await manager.query(
        'INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash) VALUES ($1, $2, $3, $4)',
        [id, presented.id, place.sandboxId, hash],
      );
      await manager.query(
        `DELETE FROM sandbox_sessions WHERE id IN (
           SELECT id FROM sandbox_sessions WHERE link_id = $1 ORDER BY created_at DESC, id OFFSET $2)`,
        [presented.id, MAX_SESSIONS],
      );
      return { token, embed: link.embed, expiresAtMs: link.expiresAtMs };
    });
  }
}
