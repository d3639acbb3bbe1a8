import type { IncomingMessage } from 'node:http';
import type { ProxyError } from '../errors.js';
import type { Change } from './changes.js';
import type { MaybePromise } from './maybe-promise.js';

/** What a credential is looked for in. */
export interface AdmissionRequest {
  readonly request: IncomingMessage;
  readonly sandboxId: string;
  /** False where the sandbox id has not the form of one. */
  readonly hasValidId: boolean;
  readonly port: number;
  /** True where the client came by HTTPS. */
  readonly isSecure: boolean;
  /** True for an upgrade, e.g. a WebSocket. */
  readonly isUpgrade: boolean;
  /** IP address of the client, as far as it is known. */
  readonly client: string;
}

/** A credential as it stands in a request. What was consumed by an admission does not reach the sandbox. */
export interface FoundCredential {
  /** E.g. the key, or the token behind `Bearer `. */
  readonly secret: string;
  /**
   * The header that it stands in, lower case: where it has admitted, the fields of that name that hold the secret do not
   * reach the sandbox; of `cookie` only the pairs that do. Null: nothing is removed but by `pattern` and `cookies`.
   */
  readonly header: string | null;
}

/** Who may go in: the team on whose behalf the request is made, and what that rests on. */
export interface Admission {
  /** The scheme that has admitted. */
  readonly scheme: CredentialScheme;
  readonly teamId: string;
  /**
   * The changes after which the scheme is asked whether the admission still holds, usually
   * `[{ kind: 'credential', scheme: this.name, subject }]`. Those of the team and of the sandbox are understood.
   */
  readonly restsOn: readonly Change[];
  /** When it ends by itself, epoch milliseconds; absent: it does not. */
  readonly expiresAtMs?: number;
  /** Origins that the proxy allows in the app's place, as `PortRules.cors`; absent: the app does. */
  readonly cors?: 'app' | readonly string[];
}

/**
 * One kind of credential. A further kind is one class that extends this one, and its name in `forRoot({ schemes })`.
 * The same object should be returned as long as an admission is the same: what is open is held together by it.
 */
export abstract class CredentialScheme<A extends Admission = Admission> {
  /** Unique, e.g. `bearer`; changes name it. */
  abstract readonly name: string;
  /** Texts of this form never reach a sandbox, whoever was admitted by what; null: only what was consumed does not. */
  readonly pattern: RegExp | null = null;
  /** Names of cookies that belong to this scheme: they never reach a sandbox, and no sandbox may set them. */
  readonly cookies: readonly string[] = [];
  /** Told to a client whose credential admits nobody, e.g. `invalid API key`; null: the next scheme's word counts. */
  readonly refusal: string | null = null;
  /** The code of the answer where an admission of this scheme has ended while a request was under way. */
  readonly endedCode: 'unauthorized' | 'session_ended' = 'unauthorized';

  /** The credential of this kind that the request carries, or null. Pure and cheap: it runs on every request. */
  abstract find(request: AdmissionRequest): FoundCredential | null;
  /**
   * Whom it admits, or null. Answer from memory, without a promise, where that is possible.
   *
   * @throws any error where it cannot be said, also as a rejection: the request is answered 503
   */
  abstract admit(found: FoundCredential, request: AdmissionRequest): MaybePromise<A | null>;
  /** Which of these, at most 500, still hold: one answer each, in their order. Asked past every cache. */
  abstract stillHold(admissions: readonly A[]): Promise<readonly boolean[]>;
  /** Called for every change, before anything is asked again: forget what it concerns. */
  forget(_change: Change): void {
    // A scheme that remembers nothing has nothing to forget.
  }
  /**
   * Why this request may not make use of the admission, or null. Pure. A scheme without it lets every use be made.
   *
   * @param allowedOrigin the request's `Origin`, where the team has allowed it at this port; null otherwise
   */
  permit?(admission: A, request: AdmissionRequest, allowedOrigin: string | null): ProxyError | null;
}
