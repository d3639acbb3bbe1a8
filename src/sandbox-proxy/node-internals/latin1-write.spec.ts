import { describe, expect, it } from 'vitest';
import { writeLatin1 } from './latin1-write.js';

describe('latin1 text in a buffer', () => {
  it('is a byte for each character, from the offset on', () => {
    const buffer = Buffer.alloc(8, 'x');
    expect(writeLatin1(buffer, 'a\x00\xe9\xff', 2)).toBe(4);
    expect(buffer).toEqual(Buffer.from('xxa\x00\xe9\xffxx', 'latin1'));
  });

  it('ends with the buffer', () => {
    const buffer = Buffer.alloc(4);
    expect(writeLatin1(buffer, 'abc', 2)).toBe(2);
    expect(buffer.toString('latin1')).toBe('\0\0ab');
  });
});
