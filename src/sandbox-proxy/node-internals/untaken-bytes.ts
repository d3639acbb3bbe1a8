import type { Socket } from 'node:net';

/** Both count bytes, also those of a write that the kernel has taken in part. */
interface Handle {
  readonly bytesWritten: number;
  /** Of these, how many the kernel has not taken. */
  readonly writeQueueSize: number;
}

/**
 * How many bytes the kernel has taken of all that was written to the connection, if others wait; null if none waits. A peer
 * that takes nothing for a while leaves the number as it is. (Node's `bytesWritten` and `writableLength` know only whole
 * writes, which may be as large as an answer.)
 *
 * @param connection as `connectionBelow` has it: a TLS socket does not know
 */
export function takenWhileOthersWait(connection: Socket): number | null {
  const { _handle: handle } = connection as Socket & { _handle: Handle | null };
  if (handle === null || handle.writeQueueSize === 0) return null;
  return handle.bytesWritten - handle.writeQueueSize;
}
