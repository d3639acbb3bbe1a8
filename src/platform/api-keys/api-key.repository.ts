import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

/** Whom a key admits, by UUIDs; and the key's hash, hex. */
export interface AdmittedKey {
  readonly teamId: string;
  readonly keyId: string;
  readonly keyHash: string;
}

/** The two questions that a request's key puts to the database; a class so that tests can supply their own. */
@Injectable()
export class ApiKeyRepository {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** The key with this hash and its team, or null; a deleted team's keys count as unknown. */
  async findByHash(keyHash: string): Promise<AdmittedKey | null> {
    const rows = await this.dataSource.query<AdmittedKey[]>(
      `SELECT k.id AS "keyId", k.team_id AS "teamId", k.key_hash AS "keyHash"
         FROM team_api_keys k JOIN teams t ON t.id = k.team_id
        WHERE k.key_hash = $1 AND t.deleted_at IS NULL`,
      [keyHash],
    );
    return rows[0] ?? null;
  }

  /** Sets `last_used` of these keys, except where this or another process did so within the last minute. */
  async recordUse(keyIds: readonly string[]): Promise<void> {
    // SKIP LOCKED: two processes that record overlapping lists must neither wait for one another nor deadlock
    await this.dataSource.query(
      `UPDATE team_api_keys SET last_used = now() WHERE id IN (
         SELECT id FROM team_api_keys
          WHERE id = ANY($1::uuid[]) AND (last_used IS NULL OR last_used < now() - interval '1 minute')
            FOR NO KEY UPDATE SKIP LOCKED)`,
      [keyIds],
    );
  }
}
