import { once } from 'node:events';
import { connect } from 'node:net';

/** All that a server said on one connection until it ended that, and how. Text is latin1: one character a byte. */
export interface Conversation {
  readonly said: string;
  readonly ending: 'end' | 'reset';
  /** From the connection's first moment to its last, milliseconds. */
  readonly ms: number;
}

/** Says `bytes` to the server and listens until it ends the connection; our side stays open. */
export async function converse(
  port: number,
  bytes: string,
  { withinMs = 10_000, host = '127.0.0.1' } = {},
): Promise<Conversation> {
  const startedAt = performance.now();
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  let said = '';
  let ending: Conversation['ending'] = 'end';
  socket.on('data', (chunk) => (said += chunk.toString('latin1')));
  socket.on('error', () => (ending = 'reset'));
  socket.on('end', () => socket.destroy());
  socket.write(Buffer.from(bytes, 'latin1'));
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(withinMs) });
  await closed.catch(() => {
    socket.destroy();
    throw new Error(
      `the server did not end the connection within ${withinMs} ms, and said ${JSON.stringify(said)}`,
    );
  });
  return { said, ending, ms: performance.now() - startedAt };
}
