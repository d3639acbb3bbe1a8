import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Page, readPage } from './page.js';

interface Row {
  readonly at: number;
  readonly text: string;
}

/** A list of rows with texts of these lengths, which counts what is asked for. */
function listOf(lengths: readonly number[]) {
  const rows = lengths.map((length, at): Row => ({ at, text: 'x'.repeat(length) }));
  const asked: number[] = [];
  let heldBytes = 0;
  const page = (limit: number, after = '-1'): Promise<Page<Row>> =>
    readPage(limit, after, {
      read: async (position, wanted) => {
        asked.push(wanted);
        const read = rows.filter(({ at }) => at > Number(position)).slice(0, wanted);
        heldBytes += read.reduce((sum, { text }) => sum + text.length, 0);
        return read;
      },
      show: (row) => row,
      positionOf: ({ at }) => String(at),
      cursorOf: ({ at }) => String(at),
    });
  return { page, asked, rows, held: () => heldBytes };
}

const sizeOf = (page: Page<Row>): number => JSON.stringify(page.items).length;

describe('readPage', () => {
  it('is one read where a page is small, and says what follows', async () => {
    const { page, asked } = listOf([1, 1, 1]);
    expect(await page(2)).toMatchObject({ items: [{ at: 0 }, { at: 1 }], next: '1' });
    expect(await page(2, '1')).toMatchObject({ items: [{ at: 2 }], next: null });
    expect(await page(3)).toMatchObject({ next: null });
    expect(await listOf([]).page(5)).toEqual({ items: [], next: null });
    expect(asked).toEqual([3, 3, 4]);
  });

  // 30 unread answers of 1,000 sandboxes with 95 KB of metadata each held 1.75 GB
  it('is of about 1 MB, and holds not much more, however large the rows are', async () => {
    const { page, held } = listOf(Array.from({ length: 1_000 }, () => 95_000));
    const first = await page(1_000);
    expect(sizeOf(first)).toBeLessThan(1_100_000);
    expect(first.items.length).toBeGreaterThan(5);
    expect(held()).toBeLessThan(32 * 95_000 + 1);
  });

  it('holds one row at least, whatever its size', async () => {
    const { page } = listOf([3_000_000, 3_000_000]);
    expect(await page(10)).toMatchObject({ items: [{ at: 0 }], next: '0' });
    expect(await page(10, '0')).toMatchObject({ items: [{ at: 1 }], next: null });
  });

  it('goes through every list once, in its order', async () => {
    const lengths = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 100_000, max: 1_200_000 })), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 70 }), async (lengths, limit) => {
        const { page, rows } = listOf(lengths);
        const seen: number[] = [];
        let after: string | null = '-1';
        while (after !== null) {
          const { items, next }: Page<Row> = await page(limit, after);
          expect(items.length).toBeLessThanOrEqual(limit);
          seen.push(...items.map(({ at }) => at));
          after = next;
        }
        expect(seen).toEqual(rows.map(({ at }) => at));
      }),
      { numRuns: 50 },
    );
  });
});
