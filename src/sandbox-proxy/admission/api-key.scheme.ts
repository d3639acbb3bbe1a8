import { Injectable } from '@nestjs/common';
import { ApiKeyStore, type KeyInUse } from '../contracts/api-key-store.js';
import {
  type Admission,
  type AdmissionRequest,
  CredentialScheme,
  type FoundCredential,
} from '../contracts/credential-scheme.js';
import type { Change } from '../contracts/changes.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import { API_KEY_SCHEME, ApiKeyService, changeOfKey } from './api-key.service.js';

/** An admission by an API key. */
interface KeyAdmission extends Admission {
  readonly key: KeyInUse;
}

/** The `X-API-Key` header. Of several, the first with the form of a key counts; the others are left to the app. */
@Injectable()
export class ApiKeyScheme extends CredentialScheme<KeyAdmission> {
  readonly name = API_KEY_SCHEME;
  override readonly refusal = 'invalid API key';
  override readonly pattern: RegExp;
  /** One admission for all requests by a key, for as long as the key is in memory. */
  private readonly admissions = new WeakMap<KeyInUse, KeyAdmission>();
  private lastFound: FoundCredential = { secret: '', header: 'x-api-key' };

  constructor(
    private readonly apiKeys: ApiKeyService,
    store: ApiKeyStore,
  ) {
    super();
    this.pattern = store.pattern;
  }

  find({ request: { rawHeaders } }: AdmissionRequest): FoundCredential | null {
    let found: string | null = null;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      if (name.length !== 9 || name.toLowerCase() !== 'x-api-key') continue;
      const value = rawHeaders[i + 1] as string;
      if (found === null) found = value;
      else if (!this.apiKeys.hasForm(found) && this.apiKeys.hasForm(value)) found = value;
    }
    if (found === null) return null;
    if (this.lastFound.secret !== found) this.lastFound = { secret: found, header: 'x-api-key' };
    return this.lastFound;
  }

  admit({ secret }: FoundCredential, { client }: AdmissionRequest): MaybePromise<KeyAdmission | null> {
    return whenReady(this.apiKeys.findTeam(secret, client), this.toAdmission);
  }

  stillHold(admissions: readonly KeyAdmission[]): Promise<readonly boolean[]> {
    return this.apiKeys.stillHold(admissions.map(({ key }) => key));
  }

  override forget(change: Change): void {
    this.apiKeys.forget(change);
  }

  private readonly toAdmission = (key: KeyInUse | null): KeyAdmission | null => {
    if (key === null) return null;
    let admission = this.admissions.get(key);
    if (admission === undefined) {
      admission = { scheme: this, teamId: key.teamId, restsOn: [changeOfKey(key.digest)], key };
      this.admissions.set(key, admission);
    }
    return admission;
  };
}
