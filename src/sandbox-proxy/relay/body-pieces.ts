import { borrowCopy, borrowEmpty, giveBack, READ_BYTES } from '../agent-client/read-buffers.js';

/** From this size on, a copy is made in memory that is used again. */
const LARGE_BYTES = 16_384;

/**
 * The body bytes of one read from an agent, put together again: an app that sends its body in chunks of one byte
 * shall not cost a write for each (one read would be 11,000 of them). A single piece, the usual case, stays a view
 * into the read buffer until it is known what becomes of it.
 */
export class BodyPieces {
  private single: Buffer | null = null;
  private gathered: Buffer | null = null;
  private gatheredBytes = 0;

  /** How many bytes are here. */
  get length(): number {
    return this.single?.length ?? this.gatheredBytes;
  }

  /** Adds a piece that is only valid during the current read. False where there is no room: take first. */
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

  /** The bytes as latin1 text; nothing is left. */
  takeText(): string {
    const text = this.view().toString('latin1');
    this.clear();
    return text;
  }

  /** The bytes in memory that stays as it is, to be handed to `giveBack` once written; nothing is left. */
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

  /** Forgets what is here. */
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
