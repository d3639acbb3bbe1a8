import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import { DataSource, type EntityManager, Repository } from 'typeorm';
import { SandboxChanges } from '../../sandbox-proxy/index.js';
import { requireRoom } from '../database/quota.js';
import { PlatformOptions } from '../platform.options.js';
import { insertRow } from '../database/insert-row.js';
import { type Page, type PageQuery, readPageById } from '../database/page.js';
import { NotFoundError, ValidationFailedError } from '../errors/request.errors.js';
import { Host } from '../hosts/host.entity.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';
import {
  type CreateSandboxBody,
  type SandboxView,
  type UpdateSandboxBody,
  viewSandbox,
} from './sandbox.dto.js';
import { Sandbox } from './sandbox.entity.js';
import { SandboxUrls } from './sandbox-urls.service.js';

/** Sandboxes of a team, as a resource of the API. Another team's are answered as if they did not exist. */
@Injectable()
export class SandboxesService {
  constructor(
    @InjectRepository(Sandbox) private readonly sandboxes: Repository<Sandbox>,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly urls: SandboxUrls,
    private readonly changes: SandboxChanges,
    private readonly options: PlatformOptions,
  ) {}

  /** @throws ValidationFailedError when `hostId` names no host, ConflictError when the team has too many. */
  async create(
    teamId: string,
    { template, hostId, status, metadata }: CreateSandboxBody,
  ): Promise<SandboxView> {
    const created = await this.dataSource.transaction(async (manager) => {
      await requireRoom(manager, this.options.quotas, 'sandboxes', teamId);
      const sandbox = manager.create(Sandbox, {
        id: randomUUID(),
        teamId,
        hostId: await reserveHost(manager, hostId ?? null),
        template,
        status,
        metadata,
        startedAt: status === 'running' ? new Date() : null,
        lastActiveAt: null,
      });
      return this.view(await insertRow(manager, sandbox));
    });
    await this.changed(created.id);
    return created;
  }

  list(teamId: string, query: PageQuery): Promise<Page<SandboxView>> {
    return readPageById('cl', query, this.sandboxes, { teamId }, (sandbox) => this.view(sandbox));
  }

  /** @throws NotFoundError */
  async get(teamId: string, id: string): Promise<SandboxView> {
    const sandbox = await this.sandboxes.findOneBy({ id, teamId });
    if (sandbox === null) throw new NotFoundError('sandbox');
    return this.view(sandbox);
  }

  /** @throws NotFoundError */
  async requireExists(teamId: string, id: string): Promise<void> {
    if (!(await this.sandboxes.existsBy({ id, teamId }))) throw new NotFoundError('sandbox');
  }

  /** @throws NotFoundError, or ValidationFailedError when `hostId` names no host. */
  async update(teamId: string, id: string, { status, hostId }: UpdateSandboxBody): Promise<SandboxView> {
    const updated = await this.dataSource.transaction(async (manager) => {
      const sandbox = await manager.findOne(Sandbox, {
        where: { id, teamId },
        lock: { mode: 'pessimistic_write' },
      });
      if (sandbox === null) throw new NotFoundError('sandbox');
      if (hostId !== undefined) sandbox.hostId = await reserveHost(manager, hostId);
      if (status === 'running' && sandbox.status !== 'running') sandbox.startedAt = new Date();
      if (status !== undefined) sandbox.status = status;
      return this.view(await manager.save(sandbox));
    });
    await this.changed(updated.id);
    return updated;
  }

  /**
   * Runs `work` in a transaction in which the sandbox is locked: until it ends, the sandbox can neither be deleted nor
   * given to another team.
   *
   * @throws NotFoundError
   */
  withHeld<Result>(
    teamId: string,
    id: string,
    work: (manager: EntityManager) => Promise<Result>,
  ): Promise<Result> {
    return this.dataSource.transaction(async (manager) => {
      const sandbox = await manager.findOne(Sandbox, {
        where: { id, teamId },
        lock: { mode: 'pessimistic_read' },
      });
      if (sandbox === null) throw new NotFoundError('sandbox');
      return work(manager);
    });
  }

  /** @throws NotFoundError */
  async delete(teamId: string, id: string): Promise<void> {
    const { affected } = await this.sandboxes.delete({ id, teamId });
    if (affected !== 1) throw new NotFoundError('sandbox');
    await this.changed(encodeId('cl', id));
  }

  /** @param sandboxId public id, `cl-…` */
  private changed(sandboxId: string): Promise<void> {
    return this.changes.apply({ kind: 'sandbox', sandboxId });
  }

  private view(sandbox: Sandbox): SandboxView {
    return viewSandbox(sandbox, this.urls.templateOf(encodeId('cl', sandbox.id)));
  }
}

/**
 * The host's UUID. The host is locked, so that it cannot be deleted before the transaction ends: there is no foreign
 * key.
 */
async function reserveHost(manager: EntityManager, hostId: string | null): Promise<string | null> {
  if (hostId === null) return null;
  const id = decodeId('host', hostId);
  const host =
    id === null ? null : await manager.findOne(Host, { where: { id }, lock: { mode: 'pessimistic_read' } });
  if (host === null) throw new ValidationFailedError(['hostId names no host']);
  return host.id;
}
