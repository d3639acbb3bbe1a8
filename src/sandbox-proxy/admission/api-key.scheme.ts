import { Injectable } from '@nestjs/common';
import type { AdmittedKey } from '../../platform/api-keys/api-key.repository.js';
import { ApiKeyService } from '../../platform/api-keys/api-key.service.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { Admission, AdmissionRequest, CredentialScheme } from './credential-scheme.js';

/** The `X-API-Key` header. Of several, the platform's own key counts; the others are the app's business. */
@Injectable()
export class ApiKeyScheme implements CredentialScheme {
  readonly refusal = 'invalid API key';
  /** One for all requests by a key, as long as it is in memory. */
  private readonly admissions = new WeakMap<AdmittedKey, Admission>();

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
    return whenReady(this.apiKeys.findTeam(credential), this.toAdmission);
  }

  private readonly toAdmission = (key: AdmittedKey | null): Admission | null => {
    if (key === null) return null;
    let admission = this.admissions.get(key);
    if (admission === undefined) {
      admission = { teamId: key.teamId, ground: { kind: 'key', key } };
      this.admissions.set(key, admission);
    }
    return admission;
  };
}
