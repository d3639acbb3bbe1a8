import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { reset } from './reset.js';
import type { ResponseHead } from '../http1/response-parser.js';
import type { ProxyExchange } from './proxy-exchange.js';

/** How long a connection that one side has ended may stay silent, ms; then the other side is taken for gone. */
const HALF_OPEN_MS = 30_000;
/** When the kernel starts to ask a silent peer whether it is still there, ms. */
const KEEP_ALIVE_MS = 60_000;

/** The upgraded connections: bytes both ways, at the pace of the slower side, until either side is gone. */
@Injectable()
export class Tunnels {
  private readonly sockets = new Set<Socket>();

  /** How many are open. */
  get size(): number {
    return this.sockets.size;
  }

  /**
   * Sends the 101 and splices client and agent.
   *
   * @param early bytes that came right behind the agent's 101
   * @param onClosed called once, when both sockets are on their way out
   */
  open(
    exchange: ProxyExchange,
    head: ResponseHead,
    headers: readonly string[],
    upstream: Socket,
    early: Buffer,
    onClosed: () => void,
  ): void {
    const { upgrade, response } = exchange;
    if (upgrade === null) throw new Error('only an upgrade can become a tunnel');
    const client = upgrade.socket;
    const held = upgrade.release();
    response.detachSocket(client);
    client.write(switchingHead(head, headers), 'latin1');
    if (early.length > 0) client.write(early);
    if (held.length > 0) upstream.write(held);
    exchange.bytesIn += held.length;
    exchange.bytesOut += early.length;
    this.sockets.add(client);
    client.once('close', () => {
      this.sockets.delete(client);
      onClosed();
    });
    pump(client, upstream, (length) => (exchange.bytesIn += length));
    pump(upstream, client, (length) => (exchange.bytesOut += length));
  }

  /** Cuts every tunnel: an open one would keep the server from closing. */
  closeAll(): void {
    for (const client of this.sockets) client.destroySoon();
  }
}

function switchingHead(head: ResponseHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 101 ${head.reason}\r\nConnection: Upgrade\r\n`;
  for (let i = 0; i < head.rawHeaders.length; i += 2) {
    if (head.rawHeaders[i]?.toLowerCase() === 'upgrade') text += `Upgrade: ${head.rawHeaders[i + 1]}\r\n`;
  }
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** One direction: bytes, the end, and the loss of `from` reach `to`. */
function pump(from: Socket, to: Socket, count: (length: number) => void): void {
  from.setTimeout(0);
  from.setNoDelay(true);
  from.setKeepAlive(true, KEEP_ALIVE_MS);
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    to.end();
    to.setTimeout(HALF_OPEN_MS, () => to.destroy());
  });
  // An `error` is a reset or worse: the other side shall see it as such and not as an orderly end.
  from.on('error', () => reset(to));
  from.on('close', () => (from.readableEnded ? to.destroySoon() : to.destroy()));
  from.resume();
}
