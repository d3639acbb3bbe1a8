/** The form of sandbox ids. Without one: `cl-` and 25 characters, a UUID's 128 bits in base 36. */
export abstract class SandboxIds {
  /**
   * The id's part of the host name `{port}-{id}.{domain}`, as the source of a regular expression without groups and
   * anchors, for lower-case text: `vm-[0-9a-f]+`. Wider than the form itself: what it matches is ours, and answered
   * 400 where `isWellFormed` says no; what it does not match goes to the application.
   */
  abstract readonly hostPattern: string;
  /** The form in words, for the answer `invalid_sandbox_id`: `"vm-" and 12 hex digits`. */
  abstract readonly description: string;
  /** Whether a text that `hostPattern` matches can be an id. Pure. */
  abstract isWellFormed(sandboxId: string): boolean;
}

/** `cl-` and the 128 bits of a UUID as one base-36 number of 25 characters. */
export class Base36SandboxIds extends SandboxIds {
  readonly hostPattern = 'cl-[0-9a-z]+';
  readonly description = '"cl-" and 25 characters 0-9a-z';

  isWellFormed(sandboxId: string): boolean {
    // Of equally long texts of these characters the order of the texts is that of the numbers.
    return sandboxId.length === 28 && sandboxId <= 'cl-f5lxx1zz5pnorynqglhzmsp33';
  }
}
