import { Socket } from 'node:net';

/**
 * A connection that is read to its end also when writing to it fails. An app may answer and close before it has read the
 * whole request; the next write then fails, and Node would destroy the socket while the answer waits unread in the kernel.
 */
export class AgentSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
    super._write(chunk, encoding, this.unlessUnread(callback));
  }

  override _writev(chunks: Chunks, callback: Callback): void {
    super._writev?.(chunks, this.unlessUnread(callback));
  }

  private unlessUnread(callback: Callback): Callback {
    return (error) => callback(error === null || error === undefined || this.readableEnded ? error : null);
  }
}

type Callback = (error?: Error | null) => void;
type Chunks = Parameters<NonNullable<Socket['_writev']>>[0];
