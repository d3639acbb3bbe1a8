import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const DEADLINE_MS = 5_000;

/** How the other side stopped talking: a FIN, a reset, or our own destroy. */
export type Ending = 'end' | 'reset';

/**
 * One end of a TCP connection that says and hears exact bytes, for what an HTTP library would tidy up.
 * Text is latin1 both ways, so that every byte is one character. Each read fails after 5 s, telling what had arrived.
 */
export class RawConnection {
  private received = '';
  private ending: Ending | null = null;
  private wake = (): void => {};

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
      this.wake();
    });
    socket.on('end', () => this.endWith('end'));
    socket.on('error', () => this.endWith('reset'));
    socket.on('close', () => this.endWith('reset'));
  }

  /** Connects to a port of 127.0.0.1; half-open, so that a test can end its side and go on reading. */
  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Everything up to and with the first `mark`; what follows stays for the next read. */
  async until(mark: string): Promise<string> {
    await this.wait(`"${mark}"`, () => this.received.includes(mark));
    return this.take(this.received.indexOf(mark) + mark.length);
  }

  /** The next message head, its empty line included. */
  head(): Promise<string> {
    return this.until('\r\n\r\n');
  }

  /** The next `length` bytes. */
  async bytes(length: number): Promise<string> {
    await this.wait(`${length} bytes`, () => this.received.length >= length);
    return this.take(length);
  }

  /** Everything until the other side stops, and how it stopped. */
  async rest(): Promise<{ bytes: string; ending: Ending }> {
    await this.wait('the end', () => this.ending !== null);
    return { bytes: this.take(this.received.length), ending: this.ending ?? 'end' };
  }

  /** What has arrived and not been read. */
  get unread(): string {
    return this.received;
  }

  get isOver(): boolean {
    return this.ending !== null;
  }

  /** Sends a FIN; reading goes on. */
  end(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  private endWith(ending: Ending): void {
    this.ending ??= ending;
    this.wake();
  }

  private take(length: number): string {
    const taken = this.received.slice(0, length);
    this.received = this.received.slice(length);
    return taken;
  }

  private async wait(what: string, isThere: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    deadline.addEventListener('abort', () => this.wake());
    while (!isThere()) {
      if (deadline.aborted || (this.ending !== null && what !== 'the end')) {
        const state = this.ending ?? 'open';
        throw new Error(`waiting for ${what} (connection: ${state}), got ${JSON.stringify(this.received)}`);
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

/** A server that leaves every byte to the test. */
export interface RawServer {
  readonly port: number;
  /** The next connection that nobody has taken yet; waits up to 5 s for it. */
  accept(): Promise<RawConnection>;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function startRawServer(): Promise<RawServer> {
  const waiting: RawConnection[] = [];
  const sockets = new Set<Socket>();
  let wake: (() => void) | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    waiting.push(new RawConnection(socket));
    wake?.();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async accept() {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      deadline.addEventListener('abort', () => wake?.());
      for (;;) {
        const next = waiting.shift();
        if (next) return next;
        if (deadline.aborted) throw new Error('nobody connected');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
