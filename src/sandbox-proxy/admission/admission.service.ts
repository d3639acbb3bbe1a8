import { Inject, Injectable } from '@nestjs/common';
import { type MaybePromise, whenReady } from '../maybe-promise.js';
import { UnauthorizedError } from '../sandbox-proxy.errors.js';
import {
  type Admission,
  type AdmissionRequest,
  CREDENTIAL_SCHEMES,
  type CredentialScheme,
} from './credential-scheme.js';

/** Step 2 of a request: a credential becomes a team. */
@Injectable()
export class AdmissionService {
  constructor(@Inject(CREDENTIAL_SCHEMES) private readonly schemes: readonly CredentialScheme[]) {}

  /**
   * Admits by the first scheme that finds its credential in the request.
   *
   * @throws UnauthorizedError without a credential, or with one that admits nobody
   * @throws DirectoryUnavailableError when the database cannot say
   */
  admit(request: AdmissionRequest): MaybePromise<Admission> {
    for (const scheme of this.schemes) {
      const credential = scheme.find(request);
      if (credential === null) continue;
      return whenReady(scheme.admit(credential, request), (admission) => {
        if (admission === null) throw new UnauthorizedError(scheme.refusal);
        return admission;
      });
    }
    throw new UnauthorizedError('X-API-Key header required');
  }
}
