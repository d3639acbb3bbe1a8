import { createHash, randomBytes } from 'node:crypto';

const BLOCK = randomBytes(65_536);

/** A body that exists nowhere as a whole: `length` bytes that differ from block to block, and their SHA-256. */
export class GeneratedBytes {
  private readonly hash = createHash('sha256');
  /** Set when the last byte has been taken; 64 hex digits. */
  sha256: string | null = null;

  constructor(readonly length: number) {}

  *[Symbol.iterator](): Generator<Buffer> {
    for (let sent = 0; sent < this.length; sent += BLOCK.length) {
      const block = Buffer.from(BLOCK.subarray(0, Math.min(BLOCK.length, this.length - sent)));
      if (block.length >= 6) block.writeUIntBE(sent, 0, 6);
      this.hash.update(block);
      yield block;
    }
    this.sha256 = this.hash.digest('hex');
  }
}

/** Reads a stream to its end without keeping it. */
export async function digest(stream: AsyncIterable<Buffer>): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { length, sha256: hash.digest('hex') };
}
