import type { Worker } from 'node:cluster';

/** The message by which node:cluster gives a connection to a worker, or the worker's answer to it. */
interface ClusterMessage {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface Connection {
  close(): void;
}

/**
 * Closes connections that were on their way to a worker when it ended. node:cluster forgets such a connection: it stays
 * open in the primary, and its client waits for ever (Node 20.20 to 26.10, `handoff` in
 * lib/internal/cluster/round_robin_handle.js).
 */
export function closeUntakenConnections(worker: Worker): void {
  const child = worker.process;
  const untaken = new Map<number | undefined, Connection>();
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  const watchedSend = (message: ClusterMessage, connection?: Connection, ...rest: unknown[]) => {
    if (message.act === 'newconn' && connection !== undefined) untaken.set(message.seq, connection);
    return send(message, connection, ...rest);
  };
  Object.assign(child, { send: watchedSend });
  child.on('internalMessage', ({ ack }: ClusterMessage) => untaken.delete(ack));
  // 'close' comes after 'exit' and the worker's last answer; there may be no 'disconnect' while a connection is on its way
  child.once('close', () => untaken.forEach((connection) => connection.close()));
}
