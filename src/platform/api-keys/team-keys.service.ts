import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { insertRow } from '../database/insert-row.js';
import { requireRoom } from '../database/quota.js';
import { PlatformOptions } from '../platform.options.js';
import { type Page, type PageQuery, readPageById } from '../database/page.js';
import { SandboxChanges } from '../../sandbox-proxy/index.js';
import { NotFoundError } from '../errors/request.errors.js';
import { apiKeyPrefix, generateApiKey, hashApiKey } from '../identifiers/api-key.js';
import { type ApiKeyView, type CreatedApiKeyView, viewApiKey } from './api-key.dto.js';
import { ApiKey } from './api-key.entity.js';

/** API keys of teams, as a resource of the API. */
@Injectable()
export class TeamKeysService {
  constructor(
    @InjectRepository(ApiKey) private readonly apiKeys: Repository<ApiKey>,
    private readonly changes: SandboxChanges,
    private readonly options: PlatformOptions,
  ) {}

  /** Creates a key. Only this answer holds it in plain text. @throws ConflictError when the team has too many */
  async create(teamId: string, name: string): Promise<CreatedApiKeyView> {
    await requireRoom(this.apiKeys.manager, this.options.quotas, 'apiKeys', teamId);
    const key = generateApiKey();
    const created = await insertRow(
      this.apiKeys.manager,
      this.apiKeys.create({
        id: randomUUID(),
        teamId,
        name,
        keyHash: hashApiKey(key),
        keyPrefix: apiKeyPrefix(key),
        createdBy: null,
        lastUsedAt: null,
      }),
    );
    await this.changes.apply({ kind: 'credential', scheme: 'api-key', subject: created.keyHash });
    return { ...viewApiKey(created), key };
  }

  list(teamId: string, query: PageQuery): Promise<Page<ApiKeyView>> {
    return readPageById('key', query, this.apiKeys, { teamId }, viewApiKey);
  }

  /** @throws NotFoundError when the team has no such key. */
  async delete(teamId: string, id: string): Promise<void> {
    const key = await this.apiKeys.findOneBy({ id, teamId });
    const { affected } = await this.apiKeys.delete({ id, teamId });
    if (key === null || affected !== 1) throw new NotFoundError('API key');
    await this.changes.apply({ kind: 'credential', scheme: 'api-key', subject: key.keyHash });
  }
}
