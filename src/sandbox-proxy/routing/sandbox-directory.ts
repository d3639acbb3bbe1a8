import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Sandbox } from '../../platform/sandboxes/sandbox.entity.js';

/** The two facts that routing needs of a sandbox. */
export interface SandboxLocation {
  readonly status: string;
  /** Of its host; `''` where there is no host or it has told no address. */
  readonly address: string;
}

/** The proxy's only question to the database about sandboxes. */
@Injectable()
export class SandboxDirectory {
  constructor(@InjectRepository(Sandbox) private readonly sandboxes: Repository<Sandbox>) {}

  /**
   * Status and host address in one query scoped by team; null where the team has no such sandbox.
   *
   * @param sandboxUuid @param teamId UUIDs
   */
  async locate(sandboxUuid: string, teamId: string): Promise<SandboxLocation | null> {
    const row = await this.sandboxes
      .createQueryBuilder('sandbox')
      .leftJoin('sandbox.host', 'host')
      .select('sandbox.status', 'status')
      .addSelect("COALESCE(host.address, '')", 'address')
      .where('sandbox.id = :sandboxUuid AND sandbox.team_id = :teamId', { sandboxUuid, teamId })
      .getRawOne<SandboxLocation>();
    return row ?? null;
  }
}
