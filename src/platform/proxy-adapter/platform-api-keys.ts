import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { type AdmittedKey, ApiKeyStore, type KeyInUse } from '../../sandbox-proxy/index.js';
import { LastUsedRecorder } from '../api-keys/last-used.recorder.js';
import { Batches } from '../database/batches.js';
import { API_KEY_PATTERN, hashApiKey } from '../identifiers/api-key.js';
import { decodeId, encodeId } from '../identifiers/resource-id.js';

/** `ApiKeyStore` on the table `team_api_keys`. The keys of a deleted team admit nobody. */
@Injectable()
export class PlatformApiKeyStore extends ApiKeyStore {
  readonly pattern = API_KEY_PATTERN;
  private readonly asked = new Batches((digests: readonly string[]) => this.findMany(digests));

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly lastUsed: LastUsedRecorder,
  ) {
    super();
  }

  digest(key: string): string {
    return hashApiKey(key);
  }

  find(digest: string): Promise<AdmittedKey | null> {
    return this.asked.ask(digest);
  }

  async stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]> {
    const rows = await this.dataSource.query<{ readonly position: number }[]>(
      `SELECT q.position::int
         FROM unnest($1::text[], $2::uuid[], $3::uuid[]) WITH ORDINALITY AS q (key_hash, id, team_id, position)
         JOIN team_api_keys k USING (key_hash, id, team_id)
         JOIN teams t ON t.id = k.team_id AND t.deleted_at IS NULL`,
      [
        keys.map(({ digest }) => digest),
        keys.map(({ keyId }) => decodeId('key', keyId)),
        keys.map(({ teamId }) => decodeId('team', teamId)),
      ],
    );
    const held = new Set(rows.map(({ position }) => position));
    return keys.map((_key, index) => held.has(index + 1));
  }

  override noteUse(keyId: string): void {
    this.lastUsed.note(keyId);
  }

  private async findMany(digests: readonly string[]): Promise<readonly (AdmittedKey | null)[]> {
    const rows = await this.dataSource.query<(AdmittedKey & { readonly digest: string })[]>(
      `SELECT k.key_hash AS digest, k.id AS "keyId", k.team_id AS "teamId"
         FROM team_api_keys k JOIN teams t ON t.id = k.team_id AND t.deleted_at IS NULL
        WHERE k.key_hash = ANY($1::text[])`,
      [digests],
    );
    const keys = new Map(
      rows.map(({ digest, keyId, teamId }) => [
        digest,
        { keyId: encodeId('key', keyId), teamId: encodeId('team', teamId) },
      ]),
    );
    return digests.map((digest) => keys.get(digest) ?? null);
  }
}
