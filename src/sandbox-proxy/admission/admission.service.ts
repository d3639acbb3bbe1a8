import { Inject, Injectable, Logger } from '@nestjs/common';
import { type Change, isChange } from '../contracts/changes.js';
import type {
  Admission,
  AdmissionRequest,
  CredentialScheme,
  FoundCredential,
} from '../contracts/credential-scheme.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import {
  DirectoryUnavailableError,
  ProxyError,
  SessionEndedError,
  TooManyLookupsError,
  UnauthorizedError,
} from '../errors.js';
import { answerInTime } from '../memory/answer-cache.js';

/** Token of the schemes, in the order in which they are tried. */
export const CREDENTIAL_SCHEMES = Symbol('CREDENTIAL_SCHEMES');

/** Step 3 of a request: from a credential to a team. */
@Injectable()
export class AdmissionService {
  private readonly logger = new Logger('SandboxProxy');
  private readonly known = new WeakSet<Admission>();

  constructor(@Inject(CREDENTIAL_SCHEMES) readonly schemes: readonly CredentialScheme[]) {}

  /**
   * The admission by the first scheme that finds a credential which admits. A credential that does not admit, such as an
   * app's own `X-API-Key`, does not stop the schemes after it.
   *
   * All errors also come as rejections.
   *
   * @param refusal if nothing admits: the message, or the error; null: what the first scheme says that found a credential
   * @throws UnauthorizedError without a credential that admits
   * @throws SessionEndedError if one did admit, and has ended
   * @throws TooManyLookupsError if no scheme admits, and one could not ask because the client's budget is used up
   * @throws DirectoryUnavailableError when a store cannot say
   */
  admit(request: AdmissionRequest, refusal: string | Refused | null): MaybePromise<Admission> {
    if (refusal instanceof Error) return this.admitFrom(0, request, null, refusal);
    return this.admitFrom(0, request, refusal);
  }

  /** Forgets what a change concerns. */
  forget(change: Change): void {
    for (const scheme of this.schemes) {
      try {
        scheme.forget(change);
      } catch (error) {
        this.logger.error(`the scheme ${scheme.name} failed to forget (${String(error)})`);
      }
    }
  }

  /** A scheme may be the application's, and wrong: what is not an admission admits nobody. Each is checked only once. */
  private checked(admission: Admission, scheme: CredentialScheme): Admission {
    if (this.known.has(admission)) return admission;
    if (!isAdmission(admission, scheme))
      throw new DirectoryUnavailableError(new TypeError(`${scheme.name}.admit() gave no admission`));
    this.known.add(admission);
    return admission;
  }

  private admitFrom(
    start: number,
    request: AdmissionRequest,
    refusal: string | null,
    refusedFirst: Refused | null = null,
  ): MaybePromise<Admission> {
    let said = refusal;
    let refused = refusedFirst;
    for (let i = start; i < this.schemes.length; i += 1) {
      const scheme = this.schemes[i] as CredentialScheme;
      let admitted: MaybePromise<Admission | null>;
      try {
        const found = scheme.find(request);
        if (found === null) continue;
        checkFound(found, scheme);
        said ??= scheme.refusal;
        admitted = scheme.admit(found, request);
      } catch (error) {
        refused = graver(refused, error);
        continue;
      }
      if (admitted instanceof Promise) {
        const later = admitted;
        return answerInTime(() => later).then(
          (admission) =>
            admission === null
              ? this.admitFrom(i + 1, request, said, refused)
              : this.checked(admission, scheme),
          (error: unknown) => this.admitFrom(i + 1, request, said, graver(refused, error)),
        );
      }
      if (admitted !== null) return this.checked(admitted, scheme);
    }
    if (refused !== null) throw refused;
    throw new UnauthorizedError(said ?? 'X-API-Key header required');
  }
}

/** What a client is told if no other scheme admits it. */
export type Refused = TooManyLookupsError | SessionEndedError;

/**
 * The one to be told of: the first, but rather that somebody could not be asked about, who might have been let in.
 *
 * @throws whatever is not known: then nobody else is asked
 */
function graver(before: Refused | null, error: unknown): Refused {
  if (error instanceof SessionEndedError) return before ?? error;
  if (!(error instanceof TooManyLookupsError)) throw asUnavailable(error);
  return before instanceof TooManyLookupsError ? before : error;
}

/** A credential without its header could not be removed from the request, and would reach the sandbox. */
function checkFound(found: FoundCredential, scheme: CredentialScheme): void {
  const { secret, header } = (found ?? {}) as Partial<FoundCredential>;
  if (typeof secret !== 'string' || (header !== null && typeof header !== 'string'))
    throw new TypeError(`${scheme.name}.find() gave no credential`);
}

function isAdmission(admission: Admission, scheme: CredentialScheme): boolean {
  if (typeof admission !== 'object' || typeof admission.teamId !== 'string') return false;
  const { restsOn, expiresAtMs } = admission;
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) return false;
  return admission.scheme === scheme && Array.isArray(restsOn) && restsOn.every(isChange);
}

function asUnavailable(error: unknown): ProxyError {
  return error instanceof ProxyError ? error : new DirectoryUnavailableError(error);
}
