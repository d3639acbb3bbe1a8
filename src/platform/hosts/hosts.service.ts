import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import { DataSource, Repository } from 'typeorm';
import { SandboxChanges } from '../../sandbox-proxy/index.js';
import { encodeId } from '../identifiers/resource-id.js';
import { insertRow } from '../database/insert-row.js';
import { type Page, type PageQuery, readPageById } from '../database/page.js';
import { ConflictError, NotFoundError } from '../errors/request.errors.js';
import { Sandbox } from '../sandboxes/sandbox.entity.js';
import { type CreateHostBody, type HostView, type UpdateHostBody, viewHost } from './host.dto.js';
import { Host } from './host.entity.js';

/** Hosts as a resource of the API. */
@Injectable()
export class HostsService {
  constructor(
    @InjectRepository(Host) private readonly hosts: Repository<Host>,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly changes: SandboxChanges,
  ) {}

  async create(body: CreateHostBody): Promise<HostView> {
    const host = this.hosts.create({ ...body, id: randomUUID(), lastHeartbeatAt: null });
    return viewHost(await insertRow(this.hosts.manager, host));
  }

  list(query: PageQuery): Promise<Page<HostView>> {
    return readPageById('host', query, this.hosts, {}, viewHost);
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<HostView> {
    const host = await this.hosts.findOneBy({ id });
    if (host === null) throw new NotFoundError('host');
    return viewHost(host);
  }

  /** @throws NotFoundError */
  async update(id: string, { address, status }: UpdateHostBody): Promise<HostView> {
    const host = await this.set(id, {
      ...(address === undefined ? {} : { address }),
      ...(status === undefined ? {} : { status }),
    });
    await this.changes.apply({ kind: 'host', hostId: host.id });
    return host;
  }

  /** The host has just reported that it is alive. @throws NotFoundError */
  async heartbeat(id: string): Promise<HostView> {
    return this.set(id, { status: 'online', lastHeartbeatAt: new Date() });
  }

  /** @throws NotFoundError, or ConflictError while sandboxes are on it. */
  async delete(id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      // the lock waits for sandboxes that are being placed on the host, and keeps further ones away
      const host = await manager.findOne(Host, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (host === null) throw new NotFoundError('host');
      const sandboxes = await manager.countBy(Sandbox, { hostId: id });
      if (sandboxes > 0) throw new ConflictError('sandboxes are on this host', { sandboxes });
      await manager.delete(Host, { id });
    });
    await this.changes.apply({ kind: 'host', hostId: encodeId('host', id) });
  }

  private async set(
    id: string,
    values: Partial<Pick<Host, 'address' | 'status' | 'lastHeartbeatAt'>>,
  ): Promise<HostView> {
    await this.hosts.update({ id }, { ...values, updatedAt: new Date() });
    return this.get(id);
  }
}
