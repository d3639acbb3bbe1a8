/** Most bytes that wait to be written; lines beyond that are lost. */
const MAX_WAITING_BYTES = 1_048_576;
/** Most bytes in one write: what a pipe holds. */
export const MAX_WRITE_BYTES = 65_536;
/** How long to wait after a failed write: at first the minimum, then twice as long each time, milliseconds. */
const MIN_PAUSE_MS = 1;
const MAX_PAUSE_MS = 100;
/** How long the program may wait for its log when it ends, milliseconds. */
const FLUSH_WITHIN_MS = 1_000;

const NO_LINES = Buffer.alloc(0);
const LINE_BREAK = 0x0a;

/** Where lines go: those of pino as text, those of the access log as bytes. */
export interface LogDestination {
  write(lines: string): void;
  /** Takes whole lines. The caller must not use the buffer afterwards. */
  writeBytes?(lines: Buffer): void;
}

/** Writes some of the bytes, perhaps not all, without blocking this thread, and tells how many. */
export type Write = (
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, writtenBytes: number) => void,
) => void;

/** A `flush` that waits. */
interface Waiting {
  readonly untilBytes: number;
  readonly resolve: (wasWritten: boolean) => void;
}

/**
 * Writes log lines without ever blocking the program, whatever is wrong with their destination: a full disk, a pipe
 * that is closed or that nobody reads. Writes are asynchronous, one at a time. A write that has failed is tried again
 * for as long as the program runs. At most 1 MiB waits; lines beyond that are lost, and once lines can be written
 * again, one says how many were lost.
 */
export class LogOutput implements LogDestination {
  private readonly waiting: Buffer[] = [];
  private underWay: Buffer = NO_LINES;
  private isWriting = false;
  private pauseMs = MIN_PAUSE_MS;
  private takenBytes = 0;
  private writtenBytes = 0;
  private lostLines = 0;
  private flushes: Waiting[] = [];

  constructor(private readonly writeOut: Write) {}

  /** Takes one line or more, each with its line break. */
  write(lines: string): void {
    this.writeBytes(Buffer.from(lines));
  }

  /** Takes whole lines. The caller must not use the buffer afterwards. */
  writeBytes(lines: Buffer): void {
    // once lines are being lost, go on until half of the room is free, so that there are few gaps to report
    const roomBytes = this.lostLines > 0 ? MAX_WAITING_BYTES / 2 : MAX_WAITING_BYTES;
    if (this.takenBytes - this.writtenBytes + lines.length > roomBytes) {
      this.lostLines += linesIn(lines);
      return;
    }
    this.tellOfLoss();
    this.take(lines);
    this.writeNext();
  }

  /**
   * Waits until what has been taken so far is written or a write fails, but not longer than a second.
   *
   * @returns whether all of it has been written.
   */
  flush(): Promise<boolean> {
    if (this.writtenBytes === this.takenBytes) return Promise.resolve(true);
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), FLUSH_WITHIN_MS);
      const settle = (wasWritten: boolean) => {
        clearTimeout(late);
        resolve(wasWritten);
      };
      this.flushes.push({ untilBytes: this.takenBytes, resolve: settle });
    });
  }

  private take(lines: Buffer): void {
    this.waiting.push(lines);
    this.takenBytes += lines.length;
  }

  private tellOfLoss(): void {
    if (this.lostLines === 0) return;
    const { lostLines } = this;
    this.lostLines = 0;
    const fields = {
      level: 40,
      time: new Date().toISOString(),
      lostLines,
      msg: `${lostLines} log lines were lost`,
    };
    this.take(Buffer.from(`${JSON.stringify(fields)}\n`));
  }

  private writeNext(): void {
    if (this.isWriting) return;
    if (this.underWay.length === 0) this.underWay = this.nextPiece();
    if (this.underWay.length === 0) return;
    this.isWriting = true;
    this.writeOut(this.underWay, (error, writtenBytes) => {
      if (error === null) this.written(writtenBytes);
      else this.failed(error);
    });
  }

  private written(bytes: number): void {
    this.isWriting = false;
    this.pauseMs = MIN_PAUSE_MS;
    this.underWay = this.underWay.subarray(bytes);
    this.writtenBytes += bytes;
    this.settle((flush) => flush.untilBytes <= this.writtenBytes, true);
    if (this.writtenBytes === this.takenBytes) this.tellOfLoss();
    this.writeNext();
  }

  /** The same bytes are tried again, so that no line is torn. */
  private failed({ code }: NodeJS.ErrnoException): void {
    // EAGAIN: the reader is slow, but may still take it; any other failure, such as a full disk, will not pass at once
    if (code !== 'EAGAIN') this.settle(() => true, false);
    setTimeout(() => {
      this.isWriting = false;
      this.writeNext();
    }, this.pauseMs).unref();
    this.pauseMs = Math.min(2 * this.pauseMs, MAX_PAUSE_MS);
  }

  private settle(isSettled: (flush: Waiting) => boolean, wasWritten: boolean): void {
    if (this.flushes.length === 0) return;
    const settled = this.flushes.filter(isSettled);
    this.flushes = this.flushes.filter((flush) => !settled.includes(flush));
    for (const { resolve } of settled) resolve(wasWritten);
  }

  private nextPiece(): Buffer {
    let count = 0;
    let bytes = 0;
    for (const lines of this.waiting) {
      if (count > 0 && bytes + lines.length > MAX_WRITE_BYTES) break;
      count += 1;
      bytes += lines.length;
    }
    const [first = NO_LINES, ...others] = this.waiting.splice(0, count);
    return others.length === 0 ? first : Buffer.concat([first, ...others], bytes);
  }
}

function linesIn(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(LINE_BREAK); at >= 0; at = lines.indexOf(LINE_BREAK, at + 1)) count += 1;
  return count;
}
