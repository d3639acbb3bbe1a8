import { describe, expect, it } from 'vitest';
import { Batches } from './batches.js';

/** Doubles numbers; every batch is held until `next` is called with what becomes of it. */
function heldBatches() {
  const asked: (readonly number[])[] = [];
  const held: ((failure?: Error) => void)[] = [];
  const batches = new Batches<number, number>((questions) => {
    asked.push(questions);
    return new Promise((resolve, reject) => {
      held.push((failure) => (failure ? reject(failure) : resolve(questions.map((it) => it * 2))));
    });
  });
  const next = async (failure?: Error): Promise<void> => {
    held.shift()?.(failure);
    await new Promise(setImmediate);
  };
  return { batches, asked, next };
}

describe('Batches', () => {
  it('asks at once where nothing is being asked, and what comes meanwhile together', async () => {
    const { batches, asked, next } = heldBatches();
    const answers = [1, 2, 3].map((question) => batches.ask(question));
    expect(asked).toEqual([[1]]);
    await next();
    expect(asked).toEqual([[1], [2, 3]]);
    await next();
    expect(await Promise.all(answers)).toEqual([2, 4, 6]);
    const late = batches.ask(4);
    expect(asked.at(-1)).toEqual([4]);
    await next();
    expect(await late).toBe(8);
  });

  it('asks about 500 at a time, and one batch after the other', async () => {
    const { batches, asked, next } = heldBatches();
    const answers = Array.from({ length: 1_200 }, (_, index) => batches.ask(index));
    for (let batch = 1; batch <= 4; batch += 1) {
      expect(asked).toHaveLength(batch);
      await next();
    }
    expect(asked.map(({ length }) => length)).toEqual([1, 500, 500, 199]);
    expect((await Promise.all(answers))[1_199]).toBe(2_398);
  });

  it('throws a failure at those that were asked about, and at nobody after them', async () => {
    const { batches, next } = heldBatches();
    const [first, second] = [batches.ask(1), batches.ask(2)];
    const failure = first?.catch((error: unknown) => error);
    await next(new Error('database'));
    expect(await failure).toEqual(new Error('database'));
    await next();
    expect(await second).toBe(4);
  });

  it('takes fewer answers than questions for a failure', async () => {
    const batches = new Batches<number, number>(async () => []);
    await expect(batches.ask(1)).rejects.toThrow('not one answer each');
  });
});
