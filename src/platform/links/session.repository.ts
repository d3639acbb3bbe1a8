import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { isTokenOf, newToken, type PresentedToken, type TokenPlace } from './access-token.js';

/** What a browser is let in by: a session that came from a link. */
export interface Session {
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
  /** Epoch milliseconds; that of the link. */
  readonly expiresAtMs: number;
}

/** A session just begun: the only moment at which the cookie's value is known. */
export interface BegunSession {
  readonly token: string;
  readonly embed: boolean;
  readonly expiresAtMs: number;
}

/** Sessions of one link; no more are begun then. */
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

/** The questions that a browser's credentials put to the database. */
@Injectable()
export class SessionRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** @param id UUID */
  async find(id: string): Promise<Session | null> {
    const [session] = await this.dataSource.query<Session[]>(`${SESSION} AND c.id = $1`, [id]);
    return session ?? null;
  }

  /** The ids of those that are still there. */
  async remaining(ids: readonly string[]): Promise<Set<string>> {
    return new Set((await this.findMany(ids)).map(({ id }) => id));
  }

  /** Those of these sessions that are still there. @param ids UUIDs */
  findMany(ids: readonly string[]): Promise<Session[]> {
    return this.dataSource.query<Session[]>(`${SESSION} AND c.id = ANY($1::uuid[])`, [ids]);
  }

  /**
   * Begins a session by a link's token, or null where the token is not good at that place, has expired, or was for one
   * browser and another has had it: that is decided by one update, so that of any number at once one wins.
   */
  async begin(presented: PresentedToken, place: TokenPlace): Promise<BegunSession | null> {
    // First without a transaction: anyone can make tokens up.
    if ((await this.findLink(this.dataSource.manager, presented, place, '')) === null) return null;
    return this.dataSource.transaction(async (manager) => {
      // The sandbox is held: if it is paused meanwhile, that waits, and then ends this session like any other.
      const link = await this.findLink(manager, presented, place, 'FOR SHARE OF s');
      if (link === null) return null;
      const [, taken] = await manager.query<[unknown, number]>(
        `UPDATE sandbox_links SET used_at = coalesce(used_at, now())
          WHERE id = $1 AND (NOT once OR used_at IS NULL)
            AND (SELECT count(*) FROM sandbox_sessions WHERE link_id = $1) < $2`,
        [presented.id, MAX_SESSIONS],
      );
      if (taken !== 1) return null;
      const id = randomUUID();
      const { token, hash } = newToken('session', id, place);
      await manager.query(
        'INSERT INTO sandbox_sessions (id, link_id, sandbox_id, token_hash) VALUES ($1, $2, $3, $4)',
        [id, presented.id, place.sandboxId, hash],
      );
      return { token, embed: link.embed, expiresAtMs: link.expiresAtMs };
    });
  }

  /** The link whose token it is, at that place and not expired; null where there is none. */
  private async findLink(
    manager: EntityManager,
    presented: PresentedToken,
    place: TokenPlace,
    lock: '' | 'FOR SHARE OF s',
  ): Promise<{ embed: boolean; expiresAtMs: number } | null> {
    const [link] = await manager.query<{ hash: Buffer; embed: boolean; expiresAtMs: number }[]>(
      `SELECT l.token_hash AS hash, l.embed,
              (extract(epoch FROM l.expires_at) * 1000)::float8 AS "expiresAtMs"
         FROM sandbox_links l
         JOIN sandboxes s ON s.id = l.sandbox_id
         JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL
        WHERE l.id = $1 AND l.sandbox_id = $2 AND l.port = $3 AND l.expires_at > now() ${lock}`,
      [presented.id, place.sandboxId, place.port],
    );
    return link === undefined || !isTokenOf('link', presented, place, link.hash) ? null : link;
  }
}
