import { Inject, Injectable } from '@nestjs/common';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import { UnauthorizedError } from '../errors.js';
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
   * Admits by the first scheme whose credential is in the request and good. A header that is not ours to read (an app's
   * own `X-API-Key`) so keeps nobody out who has a session.
   *
   * @param refusal what is said where nothing admits; null: what the first credential that was found is told
   * @throws UnauthorizedError without a credential, or with none that admits
   * @throws DirectoryUnavailableError when the database cannot say
   */
  admit(request: AdmissionRequest, refusal: string | null = null): MaybePromise<Admission> {
    return this.admitFrom(0, request, refusal);
  }

  private admitFrom(
    start: number,
    request: AdmissionRequest,
    refusal: string | null,
  ): MaybePromise<Admission> {
    let said = refusal;
    for (let i = start; i < this.schemes.length; i += 1) {
      const scheme = this.schemes[i] as CredentialScheme;
      const credential = scheme.find(request);
      if (credential === null) continue;
      said ??= scheme.refusal;
      const admitted = scheme.admit(credential, request);
      if (admitted instanceof Promise)
        return admitted.then((admission) => admission ?? this.admitFrom(i + 1, request, said));
      if (admitted !== null) return admitted;
    }
    throw new UnauthorizedError(said ?? 'X-API-Key header required');
  }
}
