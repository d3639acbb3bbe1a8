import type { Socket } from 'node:net';
import type { Exchange } from '../exchange/exchange.js';

/** More pipelined requests than this on one connection, and it is not read until fewer wait. */
const MAX_QUEUED = 32;

/** The exchanges that wait on one client connection. */
interface Queue {
  readonly exchanges: Set<Exchange>;
  isHeld: boolean;
}

/**
 * The exchanges whose answers wait behind earlier ones on their connection. Node tells such a response nothing of a
 * client that has left, and reads on however many wait: so the connection is watched here, by one listener, and not
 * read further while there are too many (one client could have any number of requests under way).
 */
export class QueuedExchanges {
  private readonly queues = new WeakMap<Socket, Queue>();

  /** @param onLeft called for each exchange that was still waiting when its client left */
  constructor(private readonly onLeft: (exchange: Exchange) => void) {}

  add(exchange: Exchange): void {
    const { socket } = exchange.request;
    const queue = this.queues.get(socket) ?? this.watch(socket);
    queue.exchanges.add(exchange);
    if (queue.exchanges.size <= MAX_QUEUED || queue.isHeld) return;
    queue.isHeld = true;
    socket.pause();
  }

  delete(exchange: Exchange): void {
    const { socket } = exchange.request;
    const queue = this.queues.get(socket);
    if (queue === undefined || !queue.exchanges.delete(exchange)) return;
    if (!queue.isHeld || queue.exchanges.size > MAX_QUEUED / 2) return;
    queue.isHeld = false;
    socket.resume();
  }

  private watch(socket: Socket): Queue {
    const queue: Queue = { exchanges: new Set(), isHeld: false };
    this.queues.set(socket, queue);
    socket.once('close', () => {
      for (const exchange of queue.exchanges) this.onLeft(exchange);
    });
    return queue;
  }
}
