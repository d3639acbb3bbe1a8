import { Injectable } from '@nestjs/common';
import { ApiKeyService } from '../../api-keys/api-key.service.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { Admission, AdmissionRequest, CredentialScheme } from './credential-scheme.js';

/** The `X-API-Key` header. Of several, the platform's own key counts; the others are the app's business. */
@Injectable()
export class ApiKeyScheme implements CredentialScheme {
  readonly refusal = 'invalid API key';

  constructor(private readonly apiKeys: ApiKeyService) {}

  find({ rawHeaders }: AdmissionRequest): string | null {
    let found: string | null = null;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      if (name.length !== 9 || name.toLowerCase() !== 'x-api-key') continue;
      const value = rawHeaders[i + 1] as string;
      if (value.startsWith('wrn_')) return value;
      found ??= value;
    }
    return found;
  }

  admit(credential: string): MaybePromise<Admission | null> {
    return this.apiKeys.findTeam(credential);
  }
}
