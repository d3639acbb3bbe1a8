import { connect, type Socket } from 'node:net';
import { ByteStream, bytes, type Ending, pause } from './byte-stream.js';
import { until, within } from './check.js';
import { type Answer, readAnswer } from './response-reader.js';

/** A raw client: writes exact bytes, keeps exact bytes, knows a FIN from a reset. */
export class Client {
  readonly input = new ByteStream();
  /** Everything that arrived, up to `keepBytes`. */
  private readonly pieces: Buffer[] = [];
  private kept = 0;
  total = 0;
  ending: Ending = null;
  endedAt = 0;
  isClosed = false;

  private constructor(
    readonly socket: Socket,
    keepBytes: number,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (piece) => {
      this.total += piece.length;
      if (this.kept >= keepBytes) return;
      this.kept += piece.length;
      this.pieces.push(piece);
      this.input.push(piece);
    });
    const ended = (ending: Exclude<Ending, null>): void => {
      if (this.ending === null) this.endedAt = performance.now();
      this.ending ??= ending;
      this.input.end(ending);
    };
    socket.on('end', () => ended('fin'));
    socket.on('error', () => ended('rst'));
    socket.on('close', () => {
      this.isClosed = true;
      ended('rst');
    });
  }

  static async open(port: number, keepBytes = 16_777_216): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const client = new Client(socket, keepBytes);
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
      5_000,
      'connection to the program',
    );
    return client;
  }

  get bytes(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

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

  /** The next final answer; `method` of its request decides whether it has a body. */
  async answer(method = 'GET', withinMs = 6_000): Promise<Answer> {
    return within(readAnswer(this.input, method), withinMs, `an answer to ${method}`);
  }

  /** Waits for the connection's end and says how it came. */
  async closed(withinMs = 4_000): Promise<Ending> {
    await until(() => this.ending !== null, 'the connection to the client ends', withinMs);
    return this.ending;
  }

  end(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
