import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type PortRules, PortSettings, type SessionPlace } from '../../sandbox-proxy/index.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';
import { Batches } from '../database/batches.js';
import { AccessTables } from '../database/access-tables.js';

/** `PortSettings` on the table `sandbox_ports`. If the table is missing, every port is private. */
@Injectable()
export class PlatformPortSettings extends PortSettings {
  private readonly asked = new Batches((places: readonly SessionPlace[]) => this.findMany(places));

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tables: AccessTables,
  ) {
    super();
  }

  find(sandboxId: string, port: number): Promise<PortRules | null> {
    return this.asked.ask({ sandboxId, port });
  }

  async findMany(places: readonly SessionPlace[]): Promise<readonly (PortRules | null)[]> {
    if (!this.tables.havePorts) return places.map(() => null);
    const rows = await this.dataSource.query<(PortRules & { readonly position: number })[]>(
      `SELECT q.position::int, s.team_id AS "teamId", p.visibility, p.cors, p.app_host AS "appHost"
         FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS q (sandbox_id, port, position)
         JOIN sandbox_ports p USING (sandbox_id, port)
         JOIN sandboxes s ON s.id = p.sandbox_id
         JOIN teams t ON t.id = s.team_id AND t.deleted_at IS NULL`,
      [places.map(({ sandboxId }) => decodeId('cl', sandboxId)), places.map(({ port }) => port)],
    );
    const rules = new Map(
      rows.map(({ position, teamId, visibility, cors, appHost }) => [
        position,
        { teamId: encodeId('team', teamId), visibility, cors, ...(appHost === undefined ? {} : { appHost }) },
      ]),
    );
    return places.map((_place, index) => rules.get(index + 1) ?? null);
  }
}
