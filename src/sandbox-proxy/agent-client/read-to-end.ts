import type { Socket } from 'node:net';

type Callback = (error?: Error | null) => void;
type Chunks = Parameters<NonNullable<Socket['_writev']>>[0];

/**
 * Lets a connection, plain or TLS, be read to its end even when writing to it fails. An app may answer and close before it
 * has read the whole request. The next write then fails, and Node would destroy the socket while the answer waits
 * unread in the kernel. To be called before the first write.
 *
 * @returns the socket
 */
export function readToEnd<S extends Socket>(socket: S): S {
  const { _write: write, _writev: writev } = socket;
  let writing: Callback | null = null;
  // One function for all writes: a stream has one under way at a time.
  const onWritten: Callback = (error) => {
    const callback = writing;
    writing = null;
    callback?.(error === null || error === undefined || socket.readableEnded ? error : null);
  };
  return Object.assign(socket, {
    _write(chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
      writing = callback;
      write.call(socket, chunk, encoding, onWritten);
    },
    _writev(chunks: Chunks, callback: Callback): void {
      writing = callback;
      writev?.call(socket, chunks, onWritten);
    },
  });
}
