import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { ResponseHead } from '../agent-client/response-head.js';
import { AccessLog } from '../contracts/access-log.js';
import { RESTARTING } from '../exchange/cut.js';
import { type Exchange, recordIn } from '../exchange/exchange.js';
import { FrameBoundary } from './frame-boundary.js';
import { Tunnel } from './tunnel.js';
import { type TunnelRecord, tunnelRecordOf } from './tunnel-record.js';

/** The upgraded connections. */
@Injectable()
export class Tunnels {
  private readonly tunnels = new Set<Tunnel>();
  private isDraining = false;

  constructor(private readonly accessLog: AccessLog) {}

  /** How many are open. */
  get size(): number {
    return this.tunnels.size;
  }

  /**
   * Sends the 101 and splices client and agent.
   *
   * @param headers those of the 101 for the client, flat
   * @param early bytes that came right after the 101
   */
  open(
    exchange: Exchange,
    head: ResponseHead,
    headers: readonly string[],
    agent: Socket,
    early: Buffer,
  ): void {
    const { upgrade } = exchange;
    if (upgrade === null) throw new Error('only an upgrade can become a tunnel');
    const { socket: client } = upgrade;
    const held = upgrade.release();
    client.write(switchingHead(head, headers), 'latin1');
    if (early.length > 0) client.write(early);
    if (held.length > 0) agent.write(held);
    const record = tunnelRecordOf(exchange, held.length, early.length);
    const boundary = isWebSocket(head) ? new FrameBoundary() : null;
    boundary?.follow(early);
    const tunnel = new Tunnel(client, agent, boundary, record, this.onClosed);
    this.tunnels.add(tunnel);
    exchange.group?.replace(exchange, tunnel);
    if (this.isDraining) tunnel.close(RESTARTING);
  }

  /**
   * Ends every tunnel, because it would go on for ever: one after the other, the last of them after `overMs`. One whose
   * handshake is under way ends as soon as it opens.
   */
  drain(overMs: number): void {
    if (this.isDraining) return;
    this.isDraining = true;
    for (const [index, tunnel] of [...this.tunnels].entries()) {
      const afterMs = (overMs * index) / Math.max(1, this.tunnels.size - 1);
      if (afterMs === 0) tunnel.close(RESTARTING);
      else setTimeout(() => tunnel.close(RESTARTING), afterMs);
    }
  }

  private readonly onClosed = (tunnel: Tunnel, record: TunnelRecord): void => {
    this.tunnels.delete(tunnel);
    tunnel.group?.delete(tunnel);
    recordIn(this.accessLog, record);
  };
}

function switchingHead(head: ResponseHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 101 ${head.reason}\r\nConnection: Upgrade\r\n`;
  for (let i = 0; i < head.rawHeaders.length; i += 2) {
    if (head.rawHeaders[i]?.toLowerCase() === 'upgrade') text += `Upgrade: ${head.rawHeaders[i + 1]}\r\n`;
  }
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}

/** Whether the agent has chosen WebSocket: the client may have offered several protocols. */
function isWebSocket({ rawHeaders }: ResponseHead): boolean {
  return rawHeaders.some(
    (name, i) =>
      i % 2 === 0 && /^upgrade$/i.test(name) && /^websocket$/i.test(rawHeaders[i + 1]?.trim() ?? ''),
  );
}
