import type { Socket } from 'node:net';

interface Handle {
  readStart(): number;
  readStop(): number;
}

/**
 * Reads nothing more from the connection, whoever wants to: Node itself resumes a connection that was paused when the next
 * of its pipelined messages has been dealt with.
 *
 * @returns lets it be read again
 */
export function stopReading(socket: Socket): () => void {
  const { _handle: handle } = socket as Socket & { _handle: Handle | null };
  if (handle === null) return () => undefined;
  handle.readStop();
  Object.defineProperty(handle, 'readStart', { configurable: true, value: () => 0 });
  return () => {
    Reflect.deleteProperty(handle, 'readStart');
    if (!socket.destroyed) handle.readStart();
  };
}
