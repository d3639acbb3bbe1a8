import { ChangeFeed } from '../../src/sandbox-proxy/contracts/change-feed.js';
import type { Change } from '../../src/sandbox-proxy/contracts/changes.js';
import type { Answer, AnswerMemory } from '../../src/sandbox-proxy/memory/answer-cache.js';

/** A feed that tells what the test says, and is as live as the test says. */
export class FakeFeed extends ChangeFeed {
  isLive = true;
  provenAtMs = 0;
  readonly listeners = new Set<(change: Change) => void>();

  subscribe(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  tell(change: Change): void {
    for (const listener of this.listeners) listener(change);
  }
}

/** Holds back whoever waits for it until it is opened. */
export class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

/** A store that answers what it is set to when it is asked; at once, or when the test says so. */
export class HeldAnswers<Value> {
  asked = 0;
  isHeld = false;
  error: Error | null = null;
  /** What the oldest question that waits fails with. */
  errorOfNext: Error | null = null;
  private readonly held: (() => void)[] = [];

  constructor(public answer: Value | null) {}

  readonly ask = async (): Promise<Value | null> => {
    this.asked += 1;
    const { answer, error } = this;
    if (this.isHeld) await new Promise<void>((resolve) => void this.held.push(resolve));
    const failure = error ?? this.errorOfNext;
    this.errorOfNext = null;
    if (failure !== null) throw failure;
    return answer;
  };

  /** Lets the oldest question that waits have what was true when it was put. */
  async release(): Promise<void> {
    this.held.shift()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

/** A memory elsewhere: every answer takes a moment. */
export class DistantAnswers<Value> implements AnswerMemory<Value> {
  readonly ttls: number[] = [];
  private readonly answers = new Map<string, Answer<Value>>();

  async get(key: string): Promise<Answer<Value> | undefined> {
    await Promise.resolve();
    return this.answers.get(key);
  }
  set(key: string, answer: Answer<Value>, ttlMs: number): void {
    this.ttls.push(ttlMs);
    this.answers.set(key, answer);
  }
  delete(key: string): void {
    this.answers.delete(key);
  }
  deleteTopic(): void {
    this.answers.clear();
  }
  topicsOf(key: string): string[] {
    return [`sandbox ${key}`];
  }
  clear(): void {
    this.answers.clear();
  }
}
