/** Characters at the start of a regular expression that match only themselves. */
const LITERAL_PREFIX = /^[\w-]+/;

/**
 * Finds texts with the form of a credential, percent-encoded or not, in field values and names, request targets and
 * trailers. It is made of the patterns of all schemes when the application starts.
 */
export class CredentialText {
  private readonly pattern: RegExp | null;
  /** Every match begins with one of these, and to look for them first is cheaper; null: only the pattern can tell. */
  private readonly prefixes: readonly string[] | null;
  /** Those prefixes that are long enough to tell a credential from other texts, in lower case. */
  private readonly marks: readonly string[];

  constructor(patterns: readonly RegExp[]) {
    const sources = [...new Set(patterns.map(({ source }) => source))];
    const isCaseless = patterns.some(({ flags }) => flags.includes('i'));
    this.pattern =
      sources.length === 0 ? null : new RegExp(`(?:${sources.join(')|(?:')})`, isCaseless ? 'i' : '');
    const prefixes = sources.map(literalPrefixOf);
    this.marks = prefixes.filter(({ length }) => length >= 3).map((prefix) => prefix.toLowerCase());
    this.prefixes = isCaseless || prefixes.includes('') ? null : shortest(prefixes);
  }

  /** True for a text that holds a credential. */
  isIn(text: string): boolean {
    if (this.pattern === null) return false;
    if (this.mayBeIn(text) && this.pattern.test(text)) return true;
    return text.includes('%') && this.pattern.test(percentDecoded(text));
  }

  /** True also for a text that only has the beginning of a credential, in any letter case: it may have been cut short. */
  resembles(text: string): boolean {
    const lower = text.toLowerCase();
    return this.isIn(text) || this.marks.some((mark) => lower.includes(mark));
  }

  private mayBeIn(text: string): boolean {
    const { prefixes } = this;
    if (prefixes === null) return true;
    for (let i = 0; i < prefixes.length; i += 1) if (text.includes(prefixes[i] as string)) return true;
    return false;
  }
}

/** `wrn_` for `wrn_[0-9a-f]{32}`; `''` where a match may begin in several ways. */
function literalPrefixOf(source: string): string {
  if (source.includes('|')) return '';
  const [prefix = ''] = LITERAL_PREFIX.exec(source) ?? [];
  return /^[*+?{]/.test(source.slice(prefix.length)) ? prefix.slice(0, -1) : prefix;
}

/** Drops prefixes that begin with another one: `wr` finds whatever `wrn_` would. */
function shortest(prefixes: readonly string[]): string[] {
  return prefixes.filter(
    (prefix, i) =>
      !prefixes.some((other, j) => j !== i && prefix.startsWith(other) && (other !== prefix || j < i)),
  );
}

/** As an app might decode it; what is not a percent-encoding stays. */
function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
