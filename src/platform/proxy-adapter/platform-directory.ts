import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SandboxDirectory, type SandboxLocation, type SandboxOfTeam } from '../../sandbox-proxy/index.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

interface LocationRow {
  readonly status: string;
  readonly address: string;
  /** UUID. */
  readonly hostId: string | null;
}

const COLUMNS = `s.status, coalesce(h.address, '') AS address, s.host_id AS "hostId"`;

/** The tables `sandboxes` and `hosts`, as the proxy asks them. */
@Injectable()
export class PlatformSandboxDirectory extends SandboxDirectory {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {
    super();
  }

  async locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null> {
    const [sandbox, team] = [decodeId('cl', sandboxId), decodeId('team', teamId)];
    if (sandbox === null || team === null) return null;
    const [row] = await this.dataSource.query<LocationRow[]>(
      `SELECT ${COLUMNS} FROM sandboxes s LEFT JOIN hosts h ON h.id = s.host_id
        WHERE s.id = $1 AND s.team_id = $2`,
      [sandbox, team],
    );
    return row === undefined ? null : locationOf(row);
  }

  async locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]> {
    const rows = await this.dataSource.query<(LocationRow & { readonly position: number })[]>(
      `SELECT q.position::int, ${COLUMNS}
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
