/** Whom a key admits. */
export interface AdmittedKey {
  readonly keyId: string;
  readonly teamId: string;
}

/** A key that has let somebody in. */
export interface KeyInUse extends AdmittedKey {
  /** As `digest` made it. */
  readonly digest: string;
}

/**
 * The application's API keys, sent as `X-API-Key`. Required, unless `schemes` leaves `api-key` out.
 *
 * Errors: as for `SandboxDirectory`: 503 `directory_unavailable`, never 401, never remembered.
 */
export abstract class ApiKeyStore {
  /**
   * The form of a key, without anchors: `/wrn_[0-9a-f]{32}/`. Nothing else is looked up, and a text of this form never
   * reaches a sandbox, wherever in a request it stands.
   */
  abstract readonly pattern: RegExp;
  /** The key as it is stored and remembered, e.g. its SHA-256 in hex; the subject of changes of this scheme. Pure. */
  abstract digest(key: string): string;
  /** Whom the key of this digest admits; null for an unknown one. Asked on a miss only. */
  abstract find(digest: string): Promise<AdmittedKey | null>;
  /** Which of these, at most 500, still admit the same team: one answer each, in their order. Past every cache. */
  abstract stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]>;
  /** Told of every request that a key has let in. Must return at once and not throw. */
  noteUse?(keyId: string): void;
}
