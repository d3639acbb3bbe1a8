import type { CredentialText } from './credential-text.js';

/** The cookies of the proxy and of the platform, which no sandbox may see or set. */
export class OwnCookies {
  private readonly names: ReadonlySet<string>;

  /** @param names compared without regard to letter case, because some apps and proxies ignore it */
  constructor(
    names: readonly string[],
    private readonly credentials: CredentialText,
  ) {
    this.names = new Set(names.map((name) => name.toLowerCase()));
  }

  /** True for the name of such a cookie. */
  isOwn(name: string): boolean {
    return this.names.has(name.trim().toLowerCase());
  }

  /**
   * A Cookie header without these cookies and without those that hold a credential; every other byte stays. Null if
   * nothing is left. `a=1; sandbox_session=x; b=2` -> `a=1; b=2`.
   *
   * @param consumed the text of a credential that admitted the request, or `''`: pairs that hold it are removed too
   */
  strip(value: string, consumed = ''): string | null {
    const pairs = value.split(';');
    const kept = pairs.filter(
      (pair) =>
        !this.isOwn(pair.split('=', 1)[0] as string) &&
        !(consumed !== '' && pair.includes(consumed)) &&
        !this.credentials.isIn(pair),
    );
    if (kept.length === pairs.length) return value;
    const rest = kept.join(';').trim();
    return rest === '' ? null : rest;
  }
}
