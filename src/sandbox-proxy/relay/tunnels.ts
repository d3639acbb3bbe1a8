import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { AccessLog, type AccessLogEntry } from '../answers/access-log.js';
import type { ResponseHead } from '../agent-client/response-parser.js';
import { LiveAdmissions } from '../open-access/open-access.js';
import { FrameBoundary } from './frame-boundary.js';
import type { ProxyExchange } from '../exchange.js';
import { Tunnel } from './tunnel.js';

/** The upgraded connections. */
@Injectable()
export class Tunnels {
  private readonly tunnels = new Set<Tunnel>();
  private isDraining = false;

  constructor(
    private readonly accessLog: AccessLog,
    private readonly live: LiveAdmissions,
  ) {}

  /**
   * Sends the 101 and splices client and agent.
   *
   * @param headers what the client gets of the 101's, flat
   * @param early bytes that came right behind it
   */
  open(
    exchange: ProxyExchange,
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
    const entry = entryOf(exchange, held.length, early.length);
    const boundary = /^websocket$/i.test(upgrade.protocols) ? new FrameBoundary() : null;
    boundary?.follow(early);
    const { admission } = exchange;
    const tunnel = new Tunnel(client, agent, admission, boundary, entry, this.onClosed);
    this.tunnels.add(tunnel);
    if (admission !== null) {
      this.live.delete(exchange);
      this.live.add(tunnel, admission, exchange.startedAtMs);
    }
    if (this.isDraining) tunnel.close(1001);
  }

  /** Ends every tunnel, and those whose handshake is under way as soon as they open: they would go on for ever. */
  drain(): void {
    this.isDraining = true;
    for (const tunnel of this.tunnels) tunnel.close(1001);
  }

  private readonly onClosed = (tunnel: Tunnel, entry: AccessLogEntry): void => {
    this.tunnels.delete(tunnel);
    this.live.delete(tunnel);
    this.accessLog.record(entry);
  };
}

/** What the log will tell, without the request and response themselves. */
function entryOf(exchange: ProxyExchange, bytesIn: number, bytesOut: number): AccessLogEntry {
  const { requestId, teamId, address, method, startedAtMs, firstByteMs, status, errorCode, failure } =
    exchange;
  const ids = { requestId, teamId, address, method, isUpgrade: true };
  return { ...ids, startedAtMs, firstByteMs, status, errorCode, failure, bytesIn, bytesOut };
}

function switchingHead(head: ResponseHead, headers: readonly string[]): string {
  let text = `HTTP/1.1 101 ${head.reason}\r\nConnection: Upgrade\r\n`;
  for (let i = 0; i < head.rawHeaders.length; i += 2) {
    if (head.rawHeaders[i]?.toLowerCase() === 'upgrade') text += `Upgrade: ${head.rawHeaders[i + 1]}\r\n`;
  }
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
