import type { Socket } from 'node:net';

/** `reading`: Node's own note of whether it wants to read. */
interface Handle {
  reading: boolean;
  readStart(): number;
  readStop(): number;
  /** How many want it not to be read. */
  [STOPS]?: number;
}

const STOPS = Symbol('stops');

/**
 * Reads nothing more from the connection, whoever wants to: Node itself resumes a connection that was paused when the next
 * of its pipelined messages has been dealt with.
 *
 * @returns lets it be read again, once everybody has who has stopped it, and as Node then wants it; to be called once
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
