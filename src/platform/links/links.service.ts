import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, MoreThan, Repository } from 'typeorm';
import { PlatformOptions } from '../platform.options.js';
import { LINK_PARAMETER, SandboxChanges } from '../../sandbox-proxy/index.js';
import { AccessTables } from '../database/access-tables.js';
import { hasRoom, requireRoom } from '../database/quota.js';
import { type Page, type PageQuery, readPageById } from '../database/page.js';
import { ConflictError, NotFoundError, ValidationFailedError } from '../errors/request.errors.js';
import { encodeId } from '../identifiers/resource-id.js';
import { SandboxUrls } from '../sandboxes/sandbox-urls.service.js';
import { SandboxesService } from '../sandboxes/sandboxes.service.js';
import { newToken } from './access-token.js';
import { type CreatedLinkView, type CreateLinkBody, type LinkView, viewLink } from './link.dto.js';
import { SandboxLink } from './sandbox-link.entity.js';

const NO_LINKS = 'there are no preview links on this database: the tables for them are missing';

/** Most links of one sandbox that have not expired. */
const MAX_LINKS = 1_000;

/** Links that another request is deleting are left to it: two that waited for each other's rows would be a deadlock. */
const deleteExpired = (whose: string) => `
  DELETE FROM sandbox_links WHERE id IN (
    SELECT l.id FROM sandbox_links l JOIN sandboxes s ON s.id = l.sandbox_id
     WHERE ${whose} = $1 AND l.expires_at <= now() FOR UPDATE OF l SKIP LOCKED)`;

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
    const { port, ttlSeconds, label = null, once, embed, allowedOrigins } = body;
    if (this.options.deniedPorts.includes(port))
      throw new ValidationFailedError([`port ${port} cannot be reached from outside`]);
    if (!this.tables.haveLinks) throw new ConflictError(NO_LINKS);
    const linkId = randomUUID();
    const { token, hash } = newToken('link', linkId, { sandboxId, port });
    const link = this.links.create({
      id: linkId,
      sandboxId,
      port,
      label,
      tokenHash: hash,
      once,
      embed,
      allowedOrigins: [...new Set(allowedOrigins)],
      expiresAt: new Date(Date.now() + ttlSeconds * 1_000),
      usedAt: null,
    });
    const saved = await this.sandboxes.withHeld(teamId, sandboxId, async (manager) => {
      await this.makeRoom(manager, teamId, sandboxId);
      return manager.save(link);
    });
    const host = this.urls.templateOf(encodeId('cl', sandboxId)).replace('{port}', String(port));
    return { ...viewLink(saved), url: `${host}/?${LINK_PARAMETER}=${token}` };
  }

  /** The links that have not expired. @throws NotFoundError */
  async list(teamId: string, sandboxId: string, query: PageQuery): Promise<Page<LinkView>> {
    await this.sandboxes.get(teamId, sandboxId);
    if (!this.tables.haveLinks) return { items: [], next: null };
    const expiresAt = MoreThan(new Date());
    const read = (after: string, take: number): Promise<SandboxLink[]> =>
      this.links.find({ where: { sandboxId, id: MoreThan(after), expiresAt }, order: { id: 'ASC' }, take });
    return readPageById('link', query, read, viewLink);
  }

  /** Deletes a link. This also ends its sessions, and cuts what they have open. @throws NotFoundError */
  async revoke(teamId: string, sandboxId: string, linkId: string): Promise<void> {
    await this.sandboxes.get(teamId, sandboxId);
    if (!this.tables.haveLinks) throw new NotFoundError('link');
    const { affected } = await this.links.delete({ id: linkId, sandboxId });
    if (affected !== 1) throw new NotFoundError('link');
    await this.changes.apply({ kind: 'credential', scheme: 'session', subject: encodeId('link', linkId) });
  }

  /**
   * Deletes expired links before a new one is stored: those of the sandbox and, if that is not enough, of the whole
   * team.
   */
  private async makeRoom(manager: EntityManager, teamId: string, sandboxId: string): Promise<void> {
    await manager.query(deleteExpired('s.id'), [sandboxId]);
    if ((await manager.countBy(SandboxLink, { sandboxId })) >= MAX_LINKS)
      throw new ConflictError(`${encodeId('cl', sandboxId)} has ${MAX_LINKS} links; revoke one first`);
    const { quotas } = this.options;
    if (await hasRoom(manager, quotas, 'links', teamId)) return;
    await manager.query(deleteExpired('s.team_id'), [teamId]);
    await requireRoom(manager, quotas, 'links', teamId);
  }
}
