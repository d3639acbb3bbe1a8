import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Repository } from 'typeorm';
import { PlatformOptions, refuseDeniedPort } from '../platform.options.js';
import { SandboxChanges } from '../../sandbox-proxy/index.js';
import { AccessTables } from '../database/access-tables.js';
import { type Page, type PageQuery, readPage } from '../database/page.js';
import { requireRoom } from '../database/quota.js';
import { ConflictError, NotFoundError, ValidationFailedError } from '../errors/request.errors.js';
import { encodeId } from '../identifiers/resource-id.js';
import { SandboxesService } from '../sandboxes/sandboxes.service.js';
import { type PortView, type PutPortBody, viewPort } from './port.dto.js';
import { SandboxPort } from './sandbox-port.entity.js';

const NO_SETTINGS = 'there are no port settings on this database: the table for them is missing';

/** Most ports of one sandbox with settings of their own. */
const MAX_PORTS = 1_000;

/** Settings of a sandbox's ports, as a resource of the API. Another team's sandbox is answered as if it did not exist. */
@Injectable()
export class PortsService {
  constructor(
    @InjectRepository(SandboxPort) private readonly ports: Repository<SandboxPort>,
    private readonly sandboxes: SandboxesService,
    private readonly options: PlatformOptions,
    private readonly changes: SandboxChanges,
    private readonly tables: AccessTables,
  ) {}

  /** The ports with settings of their own. @throws NotFoundError */
  async list(teamId: string, sandboxId: string, { limit, after }: PageQuery): Promise<Page<PortView>> {
    await this.sandboxes.requireExists(teamId, sandboxId);
    if (after !== undefined && !/^\d{1,5}$/.test(after))
      throw new ValidationFailedError(['after must be a port']);
    if (!this.tables.havePorts) return { items: [], next: null };
    return readPage(limit, after ?? '0', {
      read: (port, take) =>
        this.ports.find({
          where: { sandboxId, port: MoreThan(Number(port)) },
          order: { port: 'ASC' },
          take,
        }),
      show: viewPort,
      positionOf: ({ port }) => String(port),
      cursorOf: ({ port }) => String(port),
    });
  }

  /** @throws NotFoundError, ValidationFailedError for a denied port, ConflictError when there are too many */
  async put(teamId: string, sandboxId: string, port: number, body: PutPortBody): Promise<PortView> {
    refuseDeniedPort(this.options, port);
    if (!this.tables.havePorts) throw new ConflictError(NO_SETTINGS);
    const { visibility, cors, appHost } = body;
    await this.sandboxes.withHeld(teamId, sandboxId, async (manager) => {
      const isNew = !(await manager.existsBy(SandboxPort, { sandboxId, port }));
      if (isNew) {
        if ((await manager.countBy(SandboxPort, { sandboxId })) >= MAX_PORTS)
          throw new ConflictError(`a sandbox may have settings for at most ${MAX_PORTS} ports`);
        await requireRoom(manager, this.options.quotas, 'ports', teamId);
      }
      await manager.upsert(SandboxPort, { sandboxId, port, visibility, cors, appHost }, [
        'sandboxId',
        'port',
      ]);
    });
    await this.changes.apply({ kind: 'port', sandboxId: encodeId('cl', sandboxId), port });
    return { port, visibility, cors, appHost };
  }

  /** Deletes the settings: the port is private again, and CORS is left to the app. @throws NotFoundError */
  async delete(teamId: string, sandboxId: string, port: number): Promise<void> {
    await this.sandboxes.requireExists(teamId, sandboxId);
    if (!this.tables.havePorts) throw new NotFoundError('port');
    const { affected } = await this.ports.delete({ sandboxId, port });
    if (affected !== 1) throw new NotFoundError('port');
    await this.changes.apply({ kind: 'port', sandboxId: encodeId('cl', sandboxId), port });
  }
}
