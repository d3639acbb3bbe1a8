import type { Socket } from 'node:net';
import type { ProxyExchange } from '../forwarding/proxy-exchange.js';

/**
 * The exchanges whose answers wait behind earlier ones on their connection: Node tells such a response nothing of a
 * client that has left, so the connection is watched instead, by one listener however many wait on it.
 */
export class QueuedExchanges {
  private readonly waiting = new WeakMap<Socket, Set<ProxyExchange>>();

  /** @param onLeft called for each exchange that was still waiting when its client left */
  constructor(private readonly onLeft: (exchange: ProxyExchange) => void) {}

  add(exchange: ProxyExchange): void {
    const { socket } = exchange.request;
    let exchanges = this.waiting.get(socket);
    if (exchanges === undefined) {
      const those = new Set<ProxyExchange>();
      exchanges = those;
      this.waiting.set(socket, those);
      socket.once('close', () => {
        for (const each of those) this.onLeft(each);
      });
    }
    exchanges.add(exchange);
  }

  delete(exchange: ProxyExchange): void {
    this.waiting.get(exchange.request.socket)?.delete(exchange);
  }
}
