import { LRUCache } from 'lru-cache';

/** Changes remembered one by one. */
const MAX_CHANGES = 10_000;

/** When something last changed, by text, on any one clock. Older changes are remembered together, as a change of everything. */
export class ChangeTimes {
  private readonly byText = new LRUCache<string, number>({
    max: MAX_CHANGES,
    dispose: (atMs, _text, reason) => {
      if (reason === 'evict') this.noteAll(atMs);
    },
  });

  /** @param allAtMs when everything changed last */
  constructor(private allAtMs = -Infinity) {}

  note(text: string, atMs: number): void {
    this.byText.set(text, atMs);
  }

  /** Everything may have changed. */
  noteAll(atMs: number): void {
    this.allAtMs = Math.max(this.allAtMs, atMs);
  }

  /** When the last of these changed; -Infinity: never. */
  lastOf(texts: readonly string[]): number {
    return texts.reduce((last, text) => Math.max(last, this.byText.get(text) ?? -Infinity), this.allAtMs);
  }
}
