/** How the other side ended a connection: an orderly FIN, a reset, or not yet. */
export type Ending = 'fin' | 'rst' | null;

/** Thrown by `ByteStream` reads when the peer ended before the wanted bytes came. */
export class EndOfBytes extends Error {
  constructor(
    readonly ending: Ending,
    readonly rest: Buffer,
  ) {
    super(`the peer ended (${ending ?? 'open'}) with ${rest.length} unread bytes`);
    this.name = 'EndOfBytes';
  }
}

/**
 * Bytes of one connection as they arrive, to be pulled by whoever parses them.
 * Reads wait until enough has arrived; one reader at a time.
 */
export class ByteStream {
  private pieces: Buffer[] = [];
  private held = 0;
  private waiting: (() => void) | null = null;
  /** Set once by `end`. */
  ending: Ending = null;

  /** Number of unread bytes. */
  get length(): number {
    return this.held;
  }

  /** The unread bytes, left where they are. */
  get unread(): string {
    return this.join().toString('latin1');
  }

  push(piece: Buffer): void {
    this.pieces.push(piece);
    this.held += piece.length;
    this.wake();
  }

  end(ending: Exclude<Ending, null>): void {
    this.ending ??= ending;
    this.wake();
  }

  /** A line up to and including LF, at most `limit` bytes. @throws EndOfBytes */
  async line(limit = 4_194_304): Promise<Buffer> {
    for (;;) {
      const whole = this.join();
      const at = whole.indexOf(10);
      if (at >= 0) return this.cut(at + 1);
      if (whole.length > limit) throw new Error('line too long');
      await this.more();
    }
  }

  /** Everything up to and with the first `mark`. @throws EndOfBytes */
  async upTo(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.join().indexOf(mark, 'latin1');
      if (at >= 0) return this.cut(at + mark.length);
      await this.more();
    }
  }

  /** Exactly `count` bytes. @throws EndOfBytes */
  async take(count: number): Promise<Buffer> {
    while (this.held < count) await this.more();
    return this.cut(count);
  }

  /** Whatever is there, at least one byte. @throws EndOfBytes at the end. */
  async some(): Promise<Buffer> {
    while (this.held === 0) await this.more();
    return this.cut(this.held);
  }

  /** Everything until the peer ends. */
  async all(): Promise<Buffer> {
    while (this.ending === null) await this.arrival();
    return this.cut(this.held);
  }

  /** True once there is an unread byte, false when the peer has ended without one. */
  async hasMore(): Promise<boolean> {
    while (this.held === 0 && this.ending === null) await this.arrival();
    return this.held > 0;
  }

  private async more(): Promise<void> {
    if (this.ending !== null) throw new EndOfBytes(this.ending, this.join());
    await this.arrival();
  }

  private arrival(): Promise<void> {
    return new Promise((resolve) => {
      const earlier = this.waiting;
      this.waiting = () => {
        earlier?.();
        resolve();
      };
    });
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.();
  }

  private join(): Buffer {
    if (this.pieces.length !== 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0] as Buffer;
  }

  private cut(count: number): Buffer {
    const whole = this.join();
    this.pieces = [whole.subarray(count)];
    this.held -= count;
    return whole.subarray(0, count);
  }
}

/** A string as the bytes it stands for: one character, one byte (latin-1). Buffers pass as they are. */
export function bytes(value: string | Buffer): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
}

/** UTF-8 text as a latin-1 string of its bytes, for use inside header lines and paths. */
export function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
