import { borrowCopy, borrowEmpty, giveBack, READ_BYTES } from '../agent-client/read-buffers.js';

/** A copy of this size or larger is made in memory that is used again. */
const LARGE_BYTES = 16_384;

/**
 * The body bytes of one read from an agent, put together: an app that sends its body in chunks of one byte must not cost a
 * write for each (one read would be 11,000 writes). A single piece, the usual case, stays a view into the read buffer
 * until it is written.
 */
export class BodyPieces {
  private single: Buffer | null = null;
  private gathered: Buffer | null = null;
  private gatheredBytes = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.single?.length ?? this.gatheredBytes;
  }

  /** Adds a piece that is only valid during the current read. False if there is no room: take what is held first. */
  add(piece: Buffer): boolean {
    if (this.length === 0) {
      this.single = piece;
      return true;
    }
    if (this.length + piece.length > READ_BYTES) return false;
    if (this.single !== null) {
      const { single } = this;
      this.single = null;
      this.gathered = borrowEmpty();
      this.append(single);
    }
    this.append(piece);
    return true;
  }

  /** Takes the bytes out, as latin1 text. */
  takeText(): string {
    const text = this.view().toString('latin1');
    this.clear();
    return text;
  }

  /** Takes the bytes out, in memory of their own; hand it to `giveBack` once it is written. */
  takeCopy(): Buffer {
    const { gathered, length } = this;
    if (gathered !== null && length >= LARGE_BYTES) {
      this.gathered = null;
      this.gatheredBytes = 0;
      return gathered.subarray(0, length);
    }
    const view = this.view();
    const copy = length < LARGE_BYTES ? Buffer.from(view) : borrowCopy(view);
    this.clear();
    return copy;
  }

  /** Drops what is held. */
  clear(): void {
    if (this.gathered !== null) giveBack(this.gathered);
    this.single = this.gathered = null;
    this.gatheredBytes = 0;
  }

  private view(): Buffer {
    return this.single ?? this.gathered?.subarray(0, this.gatheredBytes) ?? Buffer.alloc(0);
  }

  private append(piece: Buffer): void {
    if (this.gathered !== null) piece.copy(this.gathered, this.gatheredBytes);
    this.gatheredBytes += piece.length;
  }
}
