import { afterEach, describe, expect, it } from 'vitest';
import { collectUploads, noteUploaded } from './upload-memory.js';

const MIB = 1024 * 1024;

afterEach(() => collectUploads(null));

describe('what uploads leave behind', () => {
  it('is collected after every 8 MiB, the young generation alone', () => {
    const collections: unknown[] = [];
    collectUploads((options) => collections.push(options));
    for (let i = 0; i < 15; i++) noteUploaded(MIB);
    expect(collections).toEqual([{ type: 'minor' }]);
    noteUploaded(MIB);
    expect(collections).toHaveLength(2);
  });

  it('is left to V8 where nobody asked for more', () => {
    const collections: unknown[] = [];
    collectUploads((options) => collections.push(options));
    collectUploads(null);
    noteUploaded(100 * MIB);
    expect(collections).toEqual([]);
  });
});
