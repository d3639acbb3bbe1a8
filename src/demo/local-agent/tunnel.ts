import type { Socket } from 'node:net';

const EARLY_BYTES_MAX = 65_536;

/**
 * Reads the client's socket until the app has answered an upgrade. Nothing of it may reach the app before the 101, but
 * if it were not read, nobody would notice that the client has left.
 */
export class EarlyBytes {
  private readonly chunks: Buffer[];
  private size: number;

  constructor(
    private readonly socket: Socket,
    head: Buffer,
  ) {
    this.chunks = [head];
    this.size = head.length;
    socket.on('data', this.keep);
    socket.on('end', this.leave);
    socket.resume();
  }

  /** Returns what has arrived, and stops reading. */
  take(): Buffer {
    this.socket.pause();
    this.socket.off('data', this.keep);
    this.socket.off('end', this.leave);
    return Buffer.concat(this.chunks);
  }

  private readonly keep = (chunk: Buffer): void => {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size > EARLY_BYTES_MAX) this.socket.pause();
  };

  private readonly leave = (): void => {
    this.socket.destroy();
  };
}

/** Joins two sockets byte for byte until both directions have ended; when one breaks, the other is cut. */
export function splice(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.setKeepAlive(true, 60_000);
    from.on('error', () => {});
    // A close before both directions have ended is a break. Otherwise pipe() has ended the other side, which is flushed first.
    from.on('close', () => {
      if (!from.readableEnded || !from.writableFinished) to.destroy();
    });
    from.pipe(to);
  }
}
