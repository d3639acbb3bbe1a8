/** Characters that stand for themselves in a regular expression. */
const LITERAL_PREFIX = /^[\w-]+/;

/**
 * Finds texts in the form of a credential, percent-encoded or not, wherever they stand: in field values and names, request
 * targets and trailers. Made of all schemes' patterns at the start.
 */
export class CredentialText {
  private readonly pattern: RegExp | null;
  /** What every match begins with, each looked for first since that is cheaper; null: look with the pattern alone. */
  private readonly prefixes: readonly string[] | null;
  /** Lower case; long enough to tell a credential from other texts. */
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

  /** True for a text that begins like a credential, also one that was cut short or folded to another case. */
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

/** `wrn_` of `wrn_[0-9a-f]{32}`; `''` where a match may begin in several ways. */
function literalPrefixOf(source: string): string {
  if (source.includes('|')) return '';
  const [prefix = ''] = LITERAL_PREFIX.exec(source) ?? [];
  return /^[*+?{]/.test(source.slice(prefix.length)) ? prefix.slice(0, -1) : prefix;
}

/** Without those that begin with another: `wr` finds whatever `wrn_` would. */
function shortest(prefixes: readonly string[]): string[] {
  return prefixes.filter(
    (prefix, i) =>
      !prefixes.some((other, j) => j !== i && prefix.startsWith(other) && (other !== prefix || j < i)),
  );
}

/** As an app might read it; what is no percent-encoding stays. */
function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
