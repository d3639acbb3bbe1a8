import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SandboxDirectory, type SandboxLocation, type SandboxOfTeam } from '../../sandbox-proxy/index.js';
import { Batches } from '../database/batches.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

interface LocationRow {
  /** The position of the question, from 1. */
  readonly position: number;
  readonly status: string;
  readonly address: string;
  /** UUID. */
  readonly hostId: string | null;
}

/** `SandboxDirectory` on the tables `sandboxes` and `hosts`. */
@Injectable()
export class PlatformSandboxDirectory extends SandboxDirectory {
  private readonly asked = new Batches((pairs: readonly SandboxOfTeam[]) => this.locateMany(pairs));

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {
    super();
  }

  async locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null> {
    if (decodeId('cl', sandboxId) === null || decodeId('team', teamId) === null) return null;
    return this.asked.ask({ sandboxId, teamId });
  }

  async locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]> {
    const rows = await this.dataSource.query<LocationRow[]>(
      `SELECT q.position::int, s.status, coalesce(h.address, '') AS address, s.host_id AS "hostId"
         FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS q (sandbox_id, team_id, position)
         JOIN sandboxes s ON s.id = q.sandbox_id AND s.team_id = q.team_id
         LEFT JOIN hosts h ON h.id = s.host_id`,
      [
        pairs.map(({ sandboxId }) => decodeId('cl', sandboxId)),
        pairs.map(({ teamId }) => decodeId('team', teamId)),
      ],
    );
    const locations = new Map(rows.map((row) => [row.position, locationOf(row)]));
    return pairs.map((_pair, index) => locations.get(index + 1) ?? null);
  }
}

function locationOf({ status, address, hostId }: LocationRow): SandboxLocation {
  return { status, address, hostId: hostId === null ? null : encodeId('host', hostId) };
}
