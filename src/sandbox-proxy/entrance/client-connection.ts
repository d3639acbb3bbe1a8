import type { Socket } from 'node:net';
import { type Peers, wasAdmitted } from '../address/peer.js';
import { networkOf } from '../admission/stranger-budget.js';
import type { IdleClients } from '../node-internals/idle-clients.js';
import { takenWhileOthersWait } from '../node-internals/untaken-bytes.js';
import type { Closable } from './closing-order.js';

/** While a connection is this new and has had no request, its first one is about to come, ms. */
const FIRST_REQUEST_MS = 2_000;
/** A client that has taken nothing for this long of what waits for it is stuck, ms. */
const STUCK_MS = 10_000;

/** A connection to the server, from its acceptance on: with TLS before the handshake. */
export class ClientConnection implements Closable {
  readonly acceptedAtMs = performance.now();
  /** The connection for requests; null until the TLS handshake is done. */
  http: Socket | null = null;
  private from: unknown = null;
  /** What its client had taken at the last look, while other bytes waited for it; null: none waited. */
  private takenBytes: number | null = null;
  private takenAtMs = 0;

  /** @param tcp which `connection` has announced */
  constructor(
    readonly tcp: Socket,
    private readonly idle: IdleClients,
    private readonly peers: Peers,
  ) {}

  get isKnown(): boolean {
    return this.http !== null && wasAdmitted(this.http);
  }

  /** An IPv4 address or an IPv6 /64. A peer that brings many clients is no network: each of its connections counts alone. */
  get network(): unknown {
    return (this.from ??= this.findNetwork());
  }

  get idleSinceMs(): number | null {
    const { http, acceptedAtMs } = this;
    if (http !== null && this.idle.isBusy(http)) return null;
    const sinceMs = http === null ? null : this.idle.idleSinceMs(http);
    if (sinceMs !== null) return Math.max(sinceMs, acceptedAtMs);
    return performance.now() - acceptedAtMs < FIRST_REQUEST_MS ? null : acceptedAtMs;
  }

  get isStuck(): boolean {
    return this.unreadMs(performance.now()) >= STUCK_MS;
  }

  get isGone(): boolean {
    return this.tcp.destroyed;
  }

  /** Looks whether its client has taken anything since the last look. */
  look(nowMs: number): void {
    const taken = takenWhileOthersWait(this.tcp);
    if (taken !== null && taken === this.takenBytes) return;
    this.takenBytes = taken;
    this.takenAtMs = nowMs;
  }

  /** For how long its client has taken nothing of what waits for it, as far as looks have shown, ms. */
  unreadMs(nowMs: number): number {
    const { takenBytes } = this;
    return takenBytes !== null && takenWhileOthersWait(this.tcp) === takenBytes ? nowMs - this.takenAtMs : 0;
  }

  close(): void {
    (this.http ?? this.tcp).destroy();
  }

  private findNetwork(): unknown {
    const { remoteAddress } = this.tcp;
    return remoteAddress === undefined || this.peers.trusts(remoteAddress) ? this : networkOf(remoteAddress);
  }
}
