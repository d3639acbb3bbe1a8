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
import { type LinkRow, type SessionRow, SessionRepository } from '../links/session.repository.js';
import { Batches } from '../database/batches.js';
import { AccessTables } from '../database/access-tables.js';

/** `SessionStore` on the tables `sandbox_links` and `sandbox_sessions`. If they are missing, there are no sessions. */
@Injectable()
export class PlatformSessionStore extends SessionStore {
  readonly pattern = /wr[lse]_[0-9a-z]{25}[\w-]{43}/;

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

  override async findByLink(token: string, place: SessionPlace): Promise<Session | EndedSession | null> {
    const presented = readToken('link', token);
    const where = tokenPlaceOf(place);
    if (presented === null || where === null || !this.tables.haveLinks) return null;
    const { sandboxId, port } = where;
    const row = await this.askedLinks.ask(presented.id);
    if (row === null || row.once || !(row.ports ?? [row.port]).includes(port)) return null;
    if (!isTokenOf('link', presented, { sandboxId, port: row.port }, row.tokenHash)) return null;
    return row.ended === null ? sessionOfLink(row, port) : { ended: row.ended, embed: row.embed };
  }

  async begin(
    linkToken: string,
    place: SessionPlace,
    isConfirmed: boolean,
  ): Promise<BegunSession | EndedSession | 'confirm' | null> {
    const where = tokenPlaceOf(place);
    if (where === null || !this.tables.haveLinks) return null;
    const exchange = readToken('exchange', linkToken);
    if (exchange !== null) return this.repository.claim(exchange, where);
    const presented = readToken('link', linkToken);
    if (presented === null) return null;
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
    const decoded = (kind: 'session' | 'link'): string[] =>
      sessions.map(({ sessionId }) => decodeId(kind, sessionId)).filter((id) => id !== null);
    const [ids, linkIds] = [decoded('session'), decoded('link')];
    const rows = await this.repository.findMany(ids);
    const links = linkIds.length === 0 ? [] : await this.repository.findLinks(linkIds);
    const now = new Map(rows.map((row) => [encodeId('session', row.id), row]));
    const nowOfLinks = new Map(links.map((row) => [encodeId('link', row.id), row]));
    return sessions.map((session) => {
      const row = now.get(session.sessionId);
      if (row !== undefined) return row.ended ?? isSame(session, sessionOf(row));
      const link = nowOfLinks.get(session.sessionId);
      return link?.ended ?? (link !== undefined && isSame(session, sessionOfLink(link, session.port)));
    });
  }
}

/** Whether nothing has been changed in place of what the session was admitted by. */
function isSame(session: Session, now: Session): boolean {
  const { expiresAtMs, renewal, ...rest } = now;
  const fields = Object.keys(rest) as (keyof typeof rest)[];
  return (
    fields.every((field) => String(session[field]) === String(rest[field])) &&
    session.renewal?.ttlMs === renewal?.ttlMs &&
    session.renewal?.untilMs === renewal?.untilMs &&
    // this or another process may have prolonged it
    (renewal === undefined ? session.expiresAtMs === expiresAtMs : session.expiresAtMs <= expiresAtMs)
  );
}

function sessionOf(row: SessionRow): Session {
  return {
    sessionId: encodeId('session', row.id),
    linkId: encodeId('link', row.linkId),
    teamId: encodeId('team', row.teamId),
    sandboxId: encodeId('cl', row.sandboxId),
    ...commonOf(row),
    ...(row.renewSeconds === null || row.renewUntilMs === null
      ? {}
      : { renewal: { ttlMs: row.renewSeconds * 1_000, untilMs: row.renewUntilMs } }),
  };
}

function sessionOfLink(row: LinkRow, port: number): Session {
  const id = encodeId('link', row.id);
  return {
    sessionId: id,
    linkId: id,
    teamId: encodeId('team', row.teamId),
    sandboxId: encodeId('cl', row.sandboxId),
    ...commonOf({ ...row, port }),
  };
}

function commonOf({ port, ports, embed, allowedOrigins, expiresAtMs }: Omit<LinkRow, 'once'> | SessionRow) {
  return { port, ports: ports ?? [port], embed, allowedOrigins, expiresAtMs };
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
