interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** The same as the most that the proxy's contracts ask about at once. */
const MAX_BATCH = 500;

/**
 * Collects questions to the database that anybody can cause. While some are being asked, further ones wait, and are then
 * asked together. So however many come, they use one connection, and the others are free for clients with a key.
 */
export class Batches<Question, Answer> {
  private waiting: Waiting<Question, Answer>[] = [];
  private isAsking = false;

  /** @param askAll one answer for each question, in the same order; if it throws, each question fails with that error */
  constructor(private readonly askAll: (questions: readonly Question[]) => Promise<readonly Answer[]>) {}

  ask(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, resolve, reject });
      if (!this.isAsking) void this.askWaiting();
    });
  }

  private async askWaiting(): Promise<void> {
    this.isAsking = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MAX_BATCH);
      try {
        const answers = await this.askAll(batch.map(({ question }) => question));
        if (answers.length !== batch.length) throw new RangeError('not one answer each');
        for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.isAsking = false;
  }
}
