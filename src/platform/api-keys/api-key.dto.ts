import { IsString, Length } from 'class-validator';
import { encodeId } from '../identifiers/resource-id.js';
import type { ApiKey } from './api-key.entity.js';

export class CreateApiKeyBody {
  @IsString()
  @Length(1, 200)
  name!: string;
}

/** A key as the API shows it, without the key. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  /** The key's first characters, to tell keys apart. */
  readonly prefix: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** The one answer that holds the key itself. */
export interface CreatedApiKeyView extends ApiKeyView {
  readonly key: string;
}

export function viewApiKey(apiKey: ApiKey): ApiKeyView {
  return {
    id: encodeId('key', apiKey.id),
    name: apiKey.name,
    prefix: apiKey.keyPrefix,
    createdAt: apiKey.createdAt,
    lastUsedAt: apiKey.lastUsedAt,
  };
}
