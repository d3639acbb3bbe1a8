import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Answer, readAnswer } from './answer.js';
import { ByteStream, bytes, type Ending } from './byte-stream.js';
import { type Field, readChunks, readFields } from './message-reader.js';
import { PATIENCE_MS, pause, until, within } from './wait.js';

/**
 * One end of a TCP connection that says and hears exact bytes, for what an HTTP library would tidy up, and knows a FIN
 * from a reset. Text is latin-1 both ways, so that every byte is one character. A read that takes longer than
 * `PATIENCE_MS` fails and tells what had arrived.
 */
export class RawConnection {
  /** What has arrived and not been read. */
  readonly input = new ByteStream();
  /** Everything that has arrived, up to `keepBytes`. */
  readonly pieces: Buffer[] = [];
  /** How many bytes have arrived. */
  total = 0;
  ending: Ending = null;
  /** `performance.now()` of the first sign that the peer left. */
  endedAt = 0;
  isClosed = false;
  private kept = 0;

  /** @param keepBytes what comes beyond is counted and dropped */
  constructor(
    readonly socket: Socket,
    keepBytes = 67_108_864,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (piece) => {
      this.total += piece.length;
      if (this.kept >= keepBytes) return;
      this.kept += piece.length;
      this.pieces.push(piece);
      this.input.push(piece);
    });
    socket.on('end', () => this.endWith('fin'));
    socket.on('error', () => this.endWith('rst'));
    socket.on('close', () => {
      this.isClosed = true;
      this.endWith('rst');
    });
  }

  /** Connects to a port of 127.0.0.1; half-open, so that a test can end its side and go on reading. */
  static async open(port: number, keepBytes?: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await within(once(socket, 'connect'), PATIENCE_MS, 'a connection');
    return new RawConnection(socket, keepBytes);
  }

  /** Everything that has arrived, read or not. */
  get transcript(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  get unread(): string {
    return this.input.unread;
  }

  get isOver(): boolean {
    return this.ending !== null;
  }

  /** Writes; false when the socket is gone or its buffer is full. */
  send(value: string | Buffer): boolean {
    return this.socket.writable ? this.socket.write(bytes(value)) : false;
  }

  /** Writes `pieces` one after the other with a pause between, so that each is a segment of its own. */
  async sendSlowly(pieces: readonly (string | Buffer)[], gapMs = 15): Promise<void> {
    for (const piece of pieces) {
      this.send(piece);
      await pause(gapMs);
    }
  }

  /** Everything up to and with the first `mark`; what follows stays for the next read. */
  until(mark: string): Promise<string> {
    return this.read(this.input.upTo(mark), `"${mark}"`);
  }

  /** The next message head, its empty line included. */
  head(): Promise<string> {
    return this.until('\r\n\r\n');
  }

  /** The next `length` bytes. */
  bytes(length: number): Promise<string> {
    return this.read(this.input.take(length), `${length} bytes`);
  }

  /** Everything until the other side stops, and how it stopped. */
  async rest(): Promise<{ bytes: string; ending: Ending }> {
    return { bytes: await this.read(this.input.all(), 'the end'), ending: this.ending };
  }

  /** The next final answer; `method` of its request decides whether it has a body. */
  answer(method = 'GET'): Promise<Answer> {
    return within(readAnswer(this.input, method), PATIENCE_MS, `an answer to ${method}`);
  }

  /** A chunked body and its trailers, of a request or an answer whose head has been read. */
  async chunks(): Promise<{ body: string; trailers: readonly Field[] }> {
    const pieces: Buffer[] = [];
    const read = readChunks(this.input, (piece) => void pieces.push(piece));
    const trailers = await within(
      read.then(() => readFields(this.input, '9112 7.1.2')),
      PATIENCE_MS,
      'chunks',
    );
    return { body: Buffer.concat(pieces).toString('latin1'), trailers };
  }

  /** Waits for the connection's end and says how it came. */
  async closed(withinMs?: number): Promise<Ending> {
    await until(() => this.ending !== null, 'the end of a connection', withinMs);
    return this.ending;
  }

  /** Sends a FIN, behind `value` where one is given; reading goes on. */
  end(value?: string | Buffer): void {
    if (value !== undefined) this.send(value);
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }

  private endWith(ending: Exclude<Ending, null>): void {
    if (this.ending === null) this.endedAt = performance.now();
    this.ending ??= ending;
    this.input.end(ending);
  }

  private async read(wanted: Promise<Buffer>, what: string): Promise<string> {
    const described = (): string =>
      `${what} (connection: ${this.ending ?? 'open'}), got ${JSON.stringify(this.unread)}`;
    return (await within(wanted, PATIENCE_MS, described)).toString('latin1');
  }
}
