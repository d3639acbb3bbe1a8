import type { Worker } from 'node:cluster';

/** The message by which node:cluster gives a connection to a worker, or the worker's answer to it. */
interface ClusterMessage {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
  readonly accepted?: boolean;
}

interface Connection {
  close(): void;
}

/** The process that each connection was sent to last. */
const receivers = new WeakMap<Connection, unknown>();

/**
 * Closes connections that were on their way to a worker when it ended, or when it no longer took any and no other did.
 * node:cluster forgets such a connection: it stays open in the primary, and its client waits for ever (Node 20.20 to
 * 26.10, `handoff` in lib/internal/cluster/round_robin_handle.js).
 *
 * @param isStopping whether all workers are about to end
 */
export function closeUntakenConnections(worker: Worker, isStopping: () => boolean): void {
  const child = worker.process;
  const untaken = new Map<number | undefined, Connection>();
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  const watchedSend = (message: ClusterMessage, connection?: Connection, ...rest: unknown[]) => {
    if (message.act === 'newconn' && connection !== undefined) {
      untaken.set(message.seq, connection);
      receivers.set(connection, child);
    }
    return send(message, connection, ...rest);
  };
  Object.assign(child, { send: watchedSend });
  // after node:cluster's own listener, which gives a connection that was not accepted to another worker if there is one
  child.on('internalMessage', ({ ack, accepted }: ClusterMessage) => {
    const connection = untaken.get(ack);
    untaken.delete(ack);
    if (connection === undefined || accepted !== false || !isStopping()) return;
    if (receivers.get(connection) === child) connection.close();
  });
  // 'close' comes after 'exit' and the worker's last answer; there may be no 'disconnect' while a connection is on its way
  child.once('close', () => untaken.forEach((connection) => connection.close()));
}
