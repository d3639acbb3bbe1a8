import { type LookupFunction, Socket } from 'node:net';

/** A development server that listens on `localhost` may use either address: IPv4 is tried first, then IPv6. */
const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];
const lookupLoopback: LookupFunction = (_name, _options, found) => found(null, LOOPBACK);

/** Long enough that a busy app is not given up in favour of the other address. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** Opens a connection to an app on this machine. It may be half-open, so that one side can end and still be answered. */
export function connectToApp(port: number): Socket {
  return new AppSocket({ allowHalfOpen: true }).setNoDelay().connect({
    host: 'localhost',
    port,
    lookup: lookupLoopback,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
  });
}

/**
 * A socket that is read to its end even when writing fails. An app may answer and close before it has read the whole
 * request. The next write then fails, and Node would destroy the socket while the answer waits unread in the kernel.
 */
class AppSocket extends Socket {
  override _write(chunk: unknown, encoding: BufferEncoding, callback: Callback): void {
    super._write(chunk, encoding, this.unlessUnread(callback));
  }

  override _writev(chunks: Chunks, callback: Callback): void {
    super._writev?.(chunks, this.unlessUnread(callback));
  }

  private unlessUnread(callback: Callback): Callback {
    return (error) => callback(this.readableEnded ? error : null);
  }
}

type Callback = (error?: Error | null) => void;
type Chunks = Parameters<NonNullable<Socket['_writev']>>[0];
