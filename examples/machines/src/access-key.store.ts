import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type AdmittedKey, ApiKeyStore, type KeyInUse } from '@sandbox-control-plane/sandbox-proxy';
import { Tables } from './tables.js';

/** Keys of the form `machines-` and 32 hex digits, sent as `X-API-Key`. */
@Injectable()
export class AccessKeyStore extends ApiKeyStore {
  readonly pattern = /machines-[0-9a-f]{32}/; // no other text is looked up, and none of this form reaches a sandbox

  constructor(private readonly tables: Tables) {
    super();
  }

  digest(key: string): string {
    return createHash('sha256').update(key).digest('hex');
  }

  async find(digest: string): Promise<AdmittedKey | null> {
    const key = this.tables.keys.get(digest);
    return key === undefined ? null : { keyId: key.id, teamId: key.owner };
  }

  async stillHold(keys: readonly KeyInUse[]): Promise<boolean[]> {
    return keys.map(({ digest, teamId }) => this.tables.keys.get(digest)?.owner === teamId);
  }
}
