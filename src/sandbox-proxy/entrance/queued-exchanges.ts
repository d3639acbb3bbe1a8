import type { Socket } from 'node:net';
import type { Exchange } from '../exchange/exchange.js';

/**
 * The exchanges whose answers wait for earlier ones on their connection. Node does not tell such a response when the client
 * leaves, so the connection is watched here, by one listener.
 */
export class QueuedExchanges {
  private readonly queues = new WeakMap<Socket, Set<Exchange>>();

  /** @param onLeft called for each exchange that was still waiting when its client left */
  constructor(private readonly onLeft: (exchange: Exchange) => void) {}

  add(exchange: Exchange): void {
    const { socket } = exchange.request;
    const queue = this.queues.get(socket) ?? this.watch(socket);
    queue.add(exchange);
  }

  delete(exchange: Exchange): void {
    this.queues.get(exchange.request.socket)?.delete(exchange);
  }

  private watch(socket: Socket): Set<Exchange> {
    const queue = new Set<Exchange>();
    this.queues.set(socket, queue);
    socket.once('close', () => {
      for (const exchange of queue) this.onLeft(exchange);
    });
    return queue;
  }
}
