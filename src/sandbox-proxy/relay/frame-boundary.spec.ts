import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeFrame, FrameBoundary } from './frame-boundary.js';

/** A frame as a server sends it, or as a client does. */
function frame(opcode: number, length: number, isMasked = false): Buffer {
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + size);
  head[0] = 0x80 | opcode;
  head[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0, 0x88), Buffer.alloc(length, 0x88)]);
}

describe('FrameBoundary', () => {
  it('finds the boundaries however the bytes are cut', () => {
    const frames = fc.array(
      fc.record({
        opcode: fc.constantFrom(0, 1, 2, 9, 10),
        length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
        isMasked: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 }), (list, sizes) => {
        const bytes = list.map(({ opcode, length, isMasked }) => frame(opcode, length, isMasked));
        const ends = new Set<number>();
        let end = 0;
        for (const each of bytes) ends.add((end += each.length));
        const all = Buffer.concat(bytes);
        const boundary = new FrameBoundary();
        for (let at = 0, i = 0; at < all.length; i += 1) {
          const size = sizes[i % sizes.length] as number;
          boundary.follow(all.subarray(at, at + size));
          at = Math.min(all.length, at + size);
          expect(boundary.isBetweenFrames).toBe(ends.has(at));
        }
        expect(boundary.isClosed).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  // a chunk of 64 KiB holds 32,768 frames of two bytes, and each costs as much as one of 64 KiB
  it('follows no more after a chunk of more than 2,048 frames, so that no close frame gets into another', () => {
    const frames = (count: number) => Buffer.concat(Array.from({ length: count }, () => frame(1, 0)));
    const boundary = new FrameBoundary();
    boundary.follow(frames(2_048));
    boundary.follow(frames(2_048));
    expect(boundary.isBetweenFrames).toBe(true);
    boundary.follow(frames(2_049));
    expect(boundary.isBetweenFrames).toBe(false);
    boundary.follow(frame(1, 5));
    expect(boundary.isBetweenFrames).toBe(false);
  });

  it('knows when the other side has closed', () => {
    const boundary = new FrameBoundary();
    boundary.follow(closeFrame(1000, 'bye'));
    expect(boundary.isClosed).toBe(true);
    expect(boundary.isBetweenFrames).toBe(true);
  });
});

it('writes a close frame', () => {
  expect(closeFrame(1008, 'no').toString('hex')).toBe('880403f06e6f');
});
