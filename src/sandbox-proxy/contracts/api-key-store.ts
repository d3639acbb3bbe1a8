/** Whom a key admits. */
export interface AdmittedKey {
  readonly keyId: string;
  readonly teamId: string;
}

/** A key that has admitted a request. */
export interface KeyInUse extends AdmittedKey {
  /** As returned by `digest`. */
  readonly digest: string;
}

/**
 * The application's API keys, sent as `X-API-Key`. Required, unless `schemes` leaves `api-key` out.
 *
 * Errors as for `SandboxDirectory`: 503 `directory_unavailable`, never 401, and never remembered.
 */
export abstract class ApiKeyStore {
  /**
   * The form of a key, without anchors: `/wrn_[0-9a-f]{32}/`. Other texts are not looked up. A text of this form never
   * reaches a sandbox, wherever in a request it is.
   */
  abstract readonly pattern: RegExp;
  /**
   * What is stored and remembered of a key, e.g. its SHA-256 in hex. It is also the `subject` of a change of this
   * scheme. Pure.
   */
  abstract digest(key: string): string;
  /** Whom the key with this digest admits; null: there is no such key. Called only when memory does not know. */
  abstract find(digest: string): Promise<AdmittedKey | null>;
  /**
   * Which of these (at most 500) still admit the same team: one answer each, in the same order. Must bypass every
   * cache.
   */
  abstract stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]>;
  /** Called for every request that a key has admitted. Must return at once; an error is only logged. */
  noteUse?(keyId: string): void;
}
