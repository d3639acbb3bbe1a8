/** The form of sandbox ids. Without one: `cl-` and 25 characters, a UUID's 128 bits in base 36. */
export abstract class SandboxIds {
  /**
   * Matches the id in the host name `{port}-{id}.{domain}`: the source of a regular expression for lower-case text, without
   * groups and anchors, e.g. `vm-[0-9a-f]+`. It should match more than well-formed ids. A host name that it matches is for
   * the proxy, and answered 400 if `isWellFormed` is false; any other goes to the application.
   */
  abstract readonly hostPattern: string;
  /** The form in words, for the message of `invalid_sandbox_id`: `"vm-" and 12 hex digits`. */
  abstract readonly description: string;
  /** Whether a text that `hostPattern` matches can be an id. Pure. */
  abstract isWellFormed(sandboxId: string): boolean;
}

/** `cl-` and the 128 bits of a UUID as one base-36 number of 25 characters. */
export class Base36SandboxIds extends SandboxIds {
  readonly hostPattern = 'cl-[0-9a-z]+';
  readonly description = '"cl-" and 25 characters 0-9a-z';

  isWellFormed(sandboxId: string): boolean {
    // For texts of equal length, the order of the texts is the order of the numbers that they stand for.
    return sandboxId.length === 28 && sandboxId <= 'cl-f5lxx1zz5pnorynqglhzmsp33';
  }
}
