import type { AdmittedKey } from '../../platform/api-keys/api-key.repository.js';
import type { Session } from '../../platform/links/session.repository.js';
import type { PortSettings } from '../../platform/ports/port-settings.service.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';

/** What an admission rests on: when it goes, what was opened by it is cut. */
export type Ground =
  | { readonly kind: 'key'; readonly key: AdmittedKey }
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'public'; readonly settings: PortSettings };

/** Who may go in: the team on whose behalf the request is made, and why. */
export interface Admission {
  /** UUID. */
  readonly teamId: string;
  readonly ground: Ground;
}

/** What a credential is looked for in. */
export interface AdmissionRequest {
  /** Flat [name, value, …] as received. */
  readonly rawHeaders: readonly string[];
  readonly address: SandboxAddress;
  /** True where the client came by HTTPS. */
  readonly isSecure: boolean;
  /** IP address of the client, as far as it is known. */
  readonly client: string;
}

/**
 * One kind of credential: how it is found in a request and whom it admits. A further kind is one more class, added to
 * the list under `CREDENTIAL_SCHEMES`.
 */
export interface CredentialScheme {
  /** Said to a caller whose credential of this kind admits nobody, e.g. `invalid API key`; null: nothing is said. */
  readonly refusal: string | null;
  /** The credential of this kind that the request carries, or null. Pure and cheap: it runs on every request. */
  find(request: AdmissionRequest): string | null;
  /** @throws DirectoryUnavailableError when the database cannot say. */
  admit(credential: string, request: AdmissionRequest): MaybePromise<Admission | null>;
}

/** Token of the schemes, in the order in which they are tried. */
export const CREDENTIAL_SCHEMES = Symbol('CREDENTIAL_SCHEMES');
