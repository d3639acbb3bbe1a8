import type { Socket } from 'node:net';

/** `reading`: whether Node itself wants to read. */
interface Handle {
  reading: boolean;
  readStart(): number;
  readStop(): number;
  /** How many callers have stopped the reading. */
  [STOPS]?: number;
}

const STOPS = Symbol('stops');

/**
 * Stops reading the connection, even if Node wants to read: a connection that was only paused is resumed by Node itself
 * when it has dealt with the next of its pipelined messages.
 *
 * @returns a function that undoes this, to be called once. When all callers have done so, the connection is read again
 *   if Node wants to read it.
 */
export function stopReading(socket: Socket): () => void {
  const { _handle: handle } = socket as Socket & { _handle: Handle | null };
  if (handle === null) return () => undefined;
  const stops = (handle[STOPS] ?? 0) + 1;
  handle[STOPS] = stops;
  if (stops === 1) {
    handle.readStop();
    Object.defineProperty(handle, 'readStart', { configurable: true, value: () => 0 });
  }
  return () => {
    const left = (handle[STOPS] ?? 0) - 1;
    handle[STOPS] = left;
    if (left > 0) return;
    Reflect.deleteProperty(handle, 'readStart');
    if (!socket.destroyed && handle.reading) handle.readStart();
  };
}
