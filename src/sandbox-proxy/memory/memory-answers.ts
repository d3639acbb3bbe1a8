import { LRUCache } from 'lru-cache';
import type { Answer, AnswerMemory } from './answer-cache.js';

/**
 * The most recently used answers, in this process. Answers that say "none" are kept apart, so that asking for what does
 * not exist pushes out nothing that is in use. The answers that rest on a topic are found by index.
 */
export class MemoryAnswers<Value> implements AnswerMemory<Value> {
  private readonly known: LRUCache<string, Answer<Value>>;
  private readonly unknown: LRUCache<string, Answer<Value>>;
  private readonly keysOf = new Map<string, Set<string>>();
  /** Questions come in runs, and comparing two keys is cheaper than looking one up. */
  private lastKey: string | null = null;
  private lastAnswer: Answer<Value> | undefined;

  /**
   * @param max most answers other than "none"; as many that say "none" are kept besides
   * @param topicsOf the topics (`topicOf`) that an answer rests on; `value` null: those that the key alone tells
   */
  constructor(
    max: number,
    readonly topicsOf: (key: string, value: Value | null) => readonly string[],
  ) {
    const dispose = (answer: Answer<Value>, key: string) => this.drop(key, answer.value);
    this.known = new LRUCache({ max, dispose });
    this.unknown = new LRUCache({ max, dispose });
  }

  get(key: string): Answer<Value> | undefined {
    if (key === this.lastKey) return this.lastAnswer;
    const answer = this.known.get(key) ?? this.unknown.get(key);
    if (answer !== undefined) {
      this.lastKey = key;
      this.lastAnswer = answer;
    }
    return answer;
  }

  set(key: string, answer: Answer<Value>): void {
    this.delete(key);
    for (const topic of this.topicsOf(key, answer.value)) {
      const keys = this.keysOf.get(topic);
      if (keys === undefined) this.keysOf.set(topic, new Set([key]));
      else keys.add(key);
    }
    (answer.value === null ? this.unknown : this.known).set(key, answer);
  }

  delete(key: string): void {
    this.known.delete(key);
    this.unknown.delete(key);
  }

  deleteTopic(topic: string): void {
    // A copy, because `delete` removes each key from this set.
    for (const key of Array.from(this.keysOf.get(topic) ?? [])) this.delete(key);
  }

  clear(): void {
    this.known.clear();
    this.unknown.clear();
  }

  private drop(key: string, value: Value | null): void {
    if (key === this.lastKey) this.lastKey = null;
    for (const topic of this.topicsOf(key, value)) {
      const keys = this.keysOf.get(topic);
      keys?.delete(key);
      if (keys?.size === 0) this.keysOf.delete(topic);
    }
  }
}
