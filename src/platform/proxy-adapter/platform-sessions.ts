import { Injectable } from '@nestjs/common';
import {
  type BegunSession,
  type EndedSession,
  type Session,
  type SessionEnd,
  type SessionPlace,
  SessionStore,
} from '../../sandbox-proxy/index.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';
import { isTokenOf, readToken, type TokenPlace } from '../links/access-token.js';
import { LinkTurns } from '../links/link-turns.js';
import { type SessionRow, SessionRepository } from '../links/session.repository.js';
import { Batches } from '../database/batches.js';
import { AccessTables } from '../database/access-tables.js';

/** `SessionStore` on the tables `sandbox_links` and `sandbox_sessions`. If they are missing, there are no sessions. */
@Injectable()
export class PlatformSessionStore extends SessionStore {
  readonly pattern = /wr[ls]_[0-9a-z]{25}[\w-]{43}/;

  private readonly asked = new Batches(async (ids: readonly string[]) =>
    inOrder(ids, await this.repository.findMany(ids)),
  );
  private readonly askedLinks = new Batches(async (ids: readonly string[]) =>
    inOrder(ids, await this.repository.findLinks(ids)),
  );
  private readonly turns = new LinkTurns();

  constructor(
    private readonly repository: SessionRepository,
    private readonly tables: AccessTables,
  ) {
    super();
  }

  async find(token: string, place: SessionPlace): Promise<Session | EndedSession | null> {
    const presented = readToken('session', token);
    const where = tokenPlaceOf(place);
    if (presented === null || where === null || !this.tables.haveLinks) return null;
    const row = await this.asked.ask(presented.id);
    // the hash includes the place, so that a session for another port or sandbox does not pass
    if (row === null || !isTokenOf('session', presented, where, row.tokenHash)) return null;
    return row.ended === null ? sessionOf(row) : { ended: row.ended, embed: row.embed };
  }

  async begin(
    linkToken: string,
    place: SessionPlace,
    isConfirmed: boolean,
  ): Promise<BegunSession | EndedSession | 'confirm' | null> {
    const presented = readToken('link', linkToken);
    const where = tokenPlaceOf(place);
    if (presented === null || where === null || !this.tables.haveLinks) return null;
    // first without a transaction, since anybody can make tokens up
    const link = await this.askedLinks.ask(presented.id);
    if (link === null || !isTokenOf('link', presented, where, link.tokenHash)) return null;
    if (link.ended !== null) return { ended: link.ended, embed: link.embed };
    if (link.once && !isConfirmed) return 'confirm';
    return this.turns.take(link.id, () => this.repository.begin(presented, where));
  }

  override linkIdOf(linkToken: string): string | null {
    const presented = readToken('link', linkToken);
    return presented === null ? null : encodeId('link', presented.id);
  }

  override async renew(sessions: readonly Session[]): Promise<readonly (number | null)[]> {
    if (!this.tables.haveLinks) return sessions.map(() => null);
    const ids = sessions.map(({ sessionId }) => decodeId('session', sessionId));
    const rows = await this.repository.renew(ids.filter((id) => id !== null));
    const ends = new Map(rows.map(({ id, expiresAtMs }) => [id, expiresAtMs]));
    return ids.map((id) => ends.get(id ?? '') ?? null);
  }

  async stillHold(sessions: readonly Session[]): Promise<readonly (boolean | SessionEnd)[]> {
    if (!this.tables.haveLinks) return sessions.map(() => false);
    const ids = sessions.map(({ sessionId }) => decodeId('session', sessionId));
    const rows = await this.repository.findMany(ids.filter((id) => id !== null));
    const now = new Map(rows.map((row) => [row.id, row]));
    return sessions.map((session, index) => {
      const row = now.get(ids[index] ?? '');
      return row?.ended ?? (row !== undefined && isSame(session, sessionOf(row)));
    });
  }
}

/** Whether nothing has been changed in place of what the session was admitted by. */
function isSame(session: Session, now: Session): boolean {
  const { allowedOrigins, expiresAtMs, renewal, ...rest } = now;
  const fields = Object.keys(rest) as (keyof typeof rest)[];
  return (
    fields.every((field) => session[field] === rest[field]) &&
    session.renewal?.ttlMs === renewal?.ttlMs &&
    session.renewal?.untilMs === renewal?.untilMs &&
    // this or another process may have prolonged it
    (renewal === undefined ? session.expiresAtMs === expiresAtMs : session.expiresAtMs <= expiresAtMs) &&
    session.allowedOrigins.length === allowedOrigins.length &&
    session.allowedOrigins.every((origin, i) => origin === allowedOrigins[i])
  );
}

function sessionOf(row: SessionRow): Session {
  return {
    sessionId: encodeId('session', row.id),
    linkId: encodeId('link', row.linkId),
    teamId: encodeId('team', row.teamId),
    sandboxId: encodeId('cl', row.sandboxId),
    port: row.port,
    embed: row.embed,
    allowedOrigins: row.allowedOrigins,
    expiresAtMs: row.expiresAtMs,
    ...(row.renewSeconds === null || row.renewUntilMs === null
      ? {}
      : { renewal: { ttlMs: row.renewSeconds * 1_000, untilMs: row.renewUntilMs } }),
  };
}

function inOrder<Row extends { readonly id: string }>(
  ids: readonly string[],
  rows: readonly Row[],
): (Row | null)[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}

function tokenPlaceOf({ sandboxId, port }: SessionPlace): TokenPlace | null {
  const uuid = decodeId('cl', sandboxId);
  return uuid === null ? null : { sandboxId: uuid, port };
}
