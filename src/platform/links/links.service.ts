import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Raw, Repository } from 'typeorm';
import { PlatformOptions, refuseDeniedPort } from '../platform.options.js';
import { LINK_PARAMETER, SandboxChanges } from '../../sandbox-proxy/index.js';
import { AccessTables } from '../database/access-tables.js';
import { requireRoom } from '../database/quota.js';
import { insertRow } from '../database/insert-row.js';
import { type Page, type PageQuery, readPageById } from '../database/page.js';
import { ConflictError, NotFoundError, ValidationFailedError } from '../errors/request.errors.js';
import { encodeId } from '../identifiers/resource-id.js';
import { SandboxUrls } from '../sandboxes/sandbox-urls.service.js';
import { SandboxesService } from '../sandboxes/sandboxes.service.js';
import { newToken } from './access-token.js';
import { type CreatedLinkView, type CreateLinkBody, type LinkView, viewLink } from './link.dto.js';
import { SandboxLink } from './sandbox-link.entity.js';
import { pruneLinks } from './tombstones.js';

const NO_LINKS = 'there are no preview links on this database: the tables for them are missing';

/** How long a link is good where its team does not say, seconds. */
const USUAL_TTL_SECONDS = 900;

/** Most links of one sandbox that are not over. */
const MAX_LINKS = 1_000;

/** A link is over when neither itself nor its sessions are good any more. */
const IS_OVER = 'coalesce(renew_until, expires_at) <= now()';

/** Ends a link and its sessions, with the reason. Answers a row if there was such a link. */
const REVOKE = `
  WITH link AS (
    UPDATE sandbox_links
       SET revoked_at = now(), expires_at = least(expires_at, now()),
           renew_until = CASE WHEN renew_until IS NOT NULL THEN least(renew_until, now()) END
     WHERE id = $1 AND sandbox_id = $2 AND revoked_at IS NULL RETURNING id),
  ended AS (
    UPDATE sandbox_sessions SET expires_at = now(), ended_reason = 'revoked'
      FROM link WHERE link_id = link.id AND sandbox_sessions.expires_at > now())
  SELECT id FROM link`;

/** Preview links of a sandbox, as a resource of the API. Another team's sandbox is answered as if it did not exist. */
@Injectable()
export class LinksService {
  constructor(
    @InjectRepository(SandboxLink) private readonly links: Repository<SandboxLink>,
    private readonly sandboxes: SandboxesService,
    private readonly urls: SandboxUrls,
    private readonly options: PlatformOptions,
    private readonly changes: SandboxChanges,
    private readonly tables: AccessTables,
  ) {}

  /**
   * Creates a link. Only this answer holds its token.
   *
   * @throws NotFoundError, ValidationFailedError for a port that is denied, ConflictError when there are too many
   */
  async create(teamId: string, sandboxId: string, body: CreateLinkBody): Promise<CreatedLinkView> {
    const { label = null, once, embed, endSessionsOnPause, allowedOrigins } = body;
    const now = new Date();
    const { expiresAt, ...renewal } = this.endsOf(body, now);
    const [port, ...others] = portsOf(body);
    for (const each of [port, ...others]) refuseDeniedPort(this.options, each);
    if (!this.tables.haveLinks) throw new ConflictError(NO_LINKS);
    const linkId = randomUUID();
    const { token, hash } = newToken('link', linkId, { sandboxId, port });
    const link = this.links.create({
      id: linkId,
      sandboxId,
      port,
      ports: others.length === 0 ? null : [port, ...others],
      label,
      tokenHash: hash,
      once,
      embed,
      allowedOrigins: [...new Set(allowedOrigins)],
      createdAt: now,
      expiresAt,
      ...renewal,
      endSessionsOnPause,
      revokedAt: null,
      usedAt: null,
    });
    const saved = await this.sandboxes.withHeld(teamId, sandboxId, async (manager) => {
      await this.makeRoom(manager, teamId, sandboxId);
      return insertRow(manager, link);
    });
    const host = this.urls.templateOf(encodeId('cl', sandboxId)).replace('{port}', String(port));
    return { ...viewLink(saved), url: `${host}/?${LINK_PARAMETER}=${token}` };
  }

  /** The links that are good, or have sessions that may be. @throws NotFoundError */
  async list(teamId: string, sandboxId: string, query: PageQuery): Promise<Page<LinkView>> {
    await this.sandboxes.requireExists(teamId, sandboxId);
    if (!this.tables.haveLinks) return { items: [], next: null };
    const isNotOver = Raw((expiresAt) => `coalesce(renew_until, ${expiresAt}) > now()`);
    return readPageById('link', query, this.links, { sandboxId, expiresAt: isNotOver }, viewLink);
  }

  /** Ends a link, ends its sessions, and cuts what they have open. @throws NotFoundError */
  async revoke(teamId: string, sandboxId: string, linkId: string): Promise<void> {
    await this.sandboxes.requireExists(teamId, sandboxId);
    if (!this.tables.haveLinks) throw new NotFoundError('link');
    const revoked = await this.links.query<unknown[]>(REVOKE, [linkId, sandboxId]);
    if (revoked.length === 0) throw new NotFoundError('link');
    await this.changes.apply({ kind: 'credential', scheme: 'session', subject: encodeId('link', linkId) });
  }

  /** When the link, and its sessions, end. @throws ValidationFailedError for ends that it may not have */
  private endsOf(
    { ttlSeconds, renew, renewUntil }: CreateLinkBody,
    now: Date,
  ): Pick<SandboxLink, 'expiresAt' | 'renewSeconds' | 'renewUntil'> {
    const max = this.options.linkMaxTtlSeconds;
    const seconds = ttlSeconds ?? Math.min(USUAL_TTL_SECONDS, max);
    if (seconds > max) throw new ValidationFailedError([`ttlSeconds must not be greater than ${max}`]);
    const expiresAt = new Date(now.getTime() + seconds * 1_000);
    const last = new Date(now.getTime() + max * 1_000);
    if (!renew) {
      if (renewUntil !== undefined) throw new ValidationFailedError(['renewUntil needs renew']);
      return { expiresAt, renewSeconds: null, renewUntil: null };
    }
    const until = renewUntil === undefined ? last : new Date(renewUntil);
    if (until < expiresAt || until > last)
      throw new ValidationFailedError([
        `renewUntil must be from ${expiresAt.toISOString()}, when the link expires, to ${last.toISOString()}`,
      ]);
    return { expiresAt, renewSeconds: seconds, renewUntil: until };
  }

  /** @throws ConflictError when the sandbox or the team has too many links */
  private async makeRoom(manager: EntityManager, teamId: string, sandboxId: string): Promise<void> {
    await pruneLinks(manager, sandboxId);
    const [found] = await manager.query<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM sandbox_links WHERE sandbox_id = $1 AND NOT (${IS_OVER})`,
      [sandboxId],
    );
    if ((found?.count ?? 0) >= MAX_LINKS)
      throw new ConflictError(`${encodeId('cl', sandboxId)} has ${MAX_LINKS} links; revoke one first`);
    await requireRoom(manager, this.options.quotas, 'links', teamId);
  }
}

/** The ports of a new link, first the one at which it is opened. @throws ValidationFailedError where both ways are used */
function portsOf({ port, ports }: CreateLinkBody): [number, ...number[]] {
  if (port !== undefined && ports !== undefined)
    throw new ValidationFailedError(['port and ports cannot be used together']);
  return (ports ?? [port]) as [number, ...number[]];
}
