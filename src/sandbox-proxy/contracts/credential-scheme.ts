import type { IncomingMessage } from 'node:http';
import type { ProxyError, SessionEnd } from '../errors.js';
import type { Change } from './changes.js';
import type { MaybePromise } from './maybe-promise.js';

/** The request that a credential is looked for in. */
export interface AdmissionRequest {
  readonly request: IncomingMessage;
  readonly sandboxId: string;
  /** False where the sandbox id is not well formed. */
  readonly hasValidId: boolean;
  readonly port: number;
  /** True where the client came by HTTPS. */
  readonly isSecure: boolean;
  /** The port of this sandbox whose page has sent the request, by its `Origin`; null: none has. */
  readonly pageOfPort: number | null;
  /** True for an upgrade, e.g. a WebSocket. */
  readonly isUpgrade: boolean;
  /** IP address of the client, as far as is known. */
  readonly client: string;
}

/** A credential as it stands in a request. One that admits does not reach the sandbox. */
export interface FoundCredential {
  /** E.g. the key, or the token after `Bearer `. */
  readonly secret: string;
  /**
   * The header that it stands in, lower case. If it admits, fields of that name that hold the secret do not reach the
   * sandbox; of a `cookie` header only the pairs that hold it are removed. Null: only `pattern` and `cookies` of the scheme
   * decide what is removed.
   */
  readonly header: string | null;
}

/** On behalf of which team a request is made, and what that rests on. */
export interface Admission {
  /** The scheme that has admitted. */
  readonly scheme: CredentialScheme;
  readonly teamId: string;
  /**
   * The changes after which the scheme is asked whether the admission still holds, usually
   * `[{ kind: 'credential', scheme: this.name, subject }]`. Changes of the team and of the sandbox need not be listed.
   */
  readonly restsOn: readonly Change[];
  /** Whether pages of other origins may show the sandbox in a frame, and so our own pages about it; absent: they may not. */
  readonly mayBeFramed?: boolean;
  /** When it expires, epoch milliseconds; absent: it does not. */
  readonly expiresAtMs?: number;
  /** Origins besides the sandbox's own whose pages may act with the credential; absent: none is named. */
  readonly allowedOrigins?: readonly string[];
  /** Ports of the sandbox whose pages may act with the credential, and read what comes of it; absent: none but its own. */
  readonly namedPorts?: readonly number[];
}

/** Why an admission holds no more; `origin`: a page opened this, and the port no longer allows pages of its origin. */
export type AdmissionEnd = SessionEnd | 'origin';

const ENDS: ReadonlySet<unknown> = new Set<AdmissionEnd>([
  'expired',
  'revoked',
  'used',
  'paused',
  'replaced',
  'origin',
]);

/** True for the name of an end: a store or a scheme may be the application's, and answer anything. */
export function isAdmissionEnd(value: unknown): value is AdmissionEnd {
  return ENDS.has(value);
}

/** Whether an admission still holds; false is `revoked`. */
export type Standing = boolean | AdmissionEnd;

/**
 * One kind of credential. To add a kind, extend this class and name it in `forRoot({ schemes })`. `admit` should return the
 * same object for as long as the admission is the same: requests and tunnels are grouped by it.
 */
export abstract class CredentialScheme<A extends Admission = Admission> {
  /** Unique, e.g. `bearer`; the `scheme` of its changes. */
  abstract readonly name: string;
  /**
   * Texts of this form never reach a sandbox, whatever admitted the request; null: only a credential that admitted is
   * removed.
   */
  readonly pattern: RegExp | null = null;
  /** Names of cookies that belong to this scheme: they never reach a sandbox, and no sandbox may set them. */
  readonly cookies: readonly string[] = [];
  /** What a client is told whose credential admits nobody, e.g. `invalid API key`; null: the next scheme decides. */
  readonly refusal: string | null = null;
  /** The code that a request is answered with whose admission by this scheme ended while it was under way. */
  readonly endedCode: 'unauthorized' | 'session_ended' = 'unauthorized';

  /** The credential of this kind that the request carries, or null. Pure and cheap: it runs on every request. */
  abstract find(request: AdmissionRequest): FoundCredential | null;
  /**
   * The admission, or null if it admits nobody. Should answer from memory, without a promise, where possible.
   *
   * @throws SessionEndedError where the credential was good: the request is told so, unless another one admits it; any other
   *   error where it is not known: the request is answered 503; all also as rejections
   */
  abstract admit(found: FoundCredential, request: AdmissionRequest): MaybePromise<A | null>;
  /** Which of these (at most 500) still hold: one answer each, in the same order. Must bypass every cache. */
  abstract stillHold(admissions: readonly A[]): Promise<readonly Standing[]>;
  /** Called once a second for an admission that expires and has something open: it is in use. Must not throw. */
  inUse?(admission: A): void;
  /** Called for every change, before anything is asked again: forgets what the change concerns. */
  forget(_change: Change): void {
    // A scheme that remembers nothing has nothing to forget.
  }
  /**
   * Why this request may not use the admission, or null if it may. Where the use rests on more than the admission does: an
   * admission that rests on both. Pure. A scheme without this method allows every use.
   *
   * @param allowedOrigin the request's `Origin`, where the team has allowed it at this port; null otherwise
   */
  permit?(admission: A, request: AdmissionRequest, allowedOrigin: string | null): ProxyError | A | null;
}
