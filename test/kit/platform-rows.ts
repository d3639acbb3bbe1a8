import { encodeId } from '../../src/platform/identifiers/resource-id.js';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { QueryResultRow } from 'pg';

/** Runs one statement on the platform's database. */
export interface Queries {
  query<Row extends QueryResultRow>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

/** A team and its one key, in plain text. `id` and `keyId` are UUIDs. */
export interface TeamRow {
  readonly id: string;
  /** Public: `team-…`. */
  readonly publicId: string;
  readonly keyId: string;
  readonly key: string;
}

export interface SandboxRow {
  readonly uuid: string;
  /** Public: `cl-…`. */
  readonly id: string;
}

/** `cl-` and the UUID as 25 base-36 digits: written again here, so that the program's own code is not trusted. */
export function sandboxId(uuid: string): string {
  return `cl-${BigInt(`0x${uuid.replaceAll('-', '')}`)
    .toString(36)
    .padStart(25, '0')}`;
}

/** Writes rows into the four tables as another program of the platform would, past the API. */
export class PlatformRows {
  constructor(private readonly db: Queries) {}

  async team(): Promise<TeamRow> {
    const [id, keyId] = [randomUUID(), randomUUID()];
    const key = `wrn_${randomBytes(16).toString('hex')}`;
    const hash = createHash('sha256').update(key).digest('hex');
    const slug = randomBytes(6).toString('hex');
    await this.db.query('INSERT INTO teams (id, name, slug) VALUES ($1, $2, $2)', [id, slug]);
    await this.db.query(
      'INSERT INTO team_api_keys (id, team_id, name, key_hash, key_prefix) VALUES ($1, $2, $3, $4, $5)',
      [keyId, id, 'test', hash, key.slice(0, 10)],
    );
    return { id, publicId: encodeId('team', id), keyId, key };
  }

  /** The host's UUID. */
  async host(address: string): Promise<string> {
    const id = randomUUID();
    await this.db.query(`INSERT INTO hosts (id, type, address, status) VALUES ($1, 'test', $2, 'online')`, [
      id,
      address,
    ]);
    return id;
  }

  async sandbox(teamId: string, hostId: string | null, status = 'running'): Promise<SandboxRow> {
    const uuid = randomUUID();
    await this.db.query(
      `INSERT INTO sandboxes (id, team_id, host_id, template, status) VALUES ($1, $2, $3, 'test', $4)`,
      [uuid, teamId, hostId, status],
    );
    return { uuid, id: sandboxId(uuid) };
  }
}
