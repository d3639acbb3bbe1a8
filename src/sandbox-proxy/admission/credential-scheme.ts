import type { MaybePromise } from '../maybe-promise.js';
import type { SandboxAddress } from '../doors/sandbox-address.js';

/** Who may go in: the team on whose behalf the request is made. */
export interface Admission {
  /** UUID. */
  readonly teamId: string;
}

/** What a credential is looked for in. */
export interface AdmissionRequest {
  /** Flat [name, value, …] as received. */
  readonly rawHeaders: readonly string[];
  readonly address: SandboxAddress;
}

/**
 * One kind of credential: how it is found in a request and whom it admits. A further kind (a signed link, a
 * cookie) is one more class, added to the list under `CREDENTIAL_SCHEMES`.
 */
export interface CredentialScheme {
  /** Said to a caller whose credential of this kind admits nobody, e.g. `invalid API key`. */
  readonly refusal: string;
  /** The credential of this kind that the request carries, or null. Pure and cheap: it runs on every request. */
  find(request: AdmissionRequest): string | null;
  /** @throws DirectoryUnavailableError when the database cannot say. */
  admit(credential: string, request: AdmissionRequest): MaybePromise<Admission | null>;
}

/** Token of the schemes, in the order in which they are tried. */
export const CREDENTIAL_SCHEMES = Symbol('CREDENTIAL_SCHEMES');
