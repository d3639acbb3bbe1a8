import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';
import { responseOn } from './response-on-socket.js';

/** How long an idle client connection is kept, ms: above a load balancer's 600 s, so that we never close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 620_000;
const NOT_IDLE = -1;
/** Idle since some time after the last sweep. */
const JUST_IDLE = 0;

/** `idleSinceMs`: a time on the clock of `sweep`, `NOT_IDLE` or `JUST_IDLE`. */
type Client = Socket & { idleSinceMs: number };

/**
 * Closes client connections that have been idle for too long. Node sets a timer for this after each answer and clears it
 * with the next request (1-2 % of what a small request costs; Node 20.20, 2026-11). Here that timer is only noted, and one
 * sweep over all connections does the rest: never too early, and at most two sweeps late. Only for a server of our own,
 * since this applies to every connection of the server.
 */
export class IdleClients {
  private readonly clients = new Set<Socket>();
  /** One function for all connections, of which there are thousands; the same goes for `setTimeout`. */
  private readonly forget = forgetIn(this.clients);
  private readonly setTimeout: Socket['setTimeout'];
  private sweptAtMs = performance.now();

  constructor(private readonly keepAliveMs: number) {
    this.setTimeout = setTimeoutOrNote(keepAliveMs);
  }

  /** Takes over the idle time of every connection that the server accepts from now on, and sets its `keepAliveTimeout`. */
  watchAll(server: Server): void {
    server.keepAliveTimeout = this.keepAliveMs;
    server.on(acceptEvent(server), (socket: Socket) => this.watch(socket));
  }

  /** Whether the connection has a request under way, or has been taken off HTTP. */
  isBusy(client: Socket & { parser?: unknown }): boolean {
    return client.parser === null || responseOn(client) !== null;
  }

  /**
   * Since when a connection that is not busy has been without a request, on the clock of `sweep`, or earlier by at most the
   * time between two sweeps; null: it has had none yet.
   */
  idleSinceMs(client: Socket): number | null {
    const { idleSinceMs } = client as Client;
    if (idleSinceMs === NOT_IDLE) return null;
    return idleSinceMs === JUST_IDLE ? this.sweptAtMs : idleSinceMs;
  }

  /**
   * Ends the connections that have been idle for the whole time, in the same way as Node. To be called every few seconds.
   *
   * @param nowMs a clock that never goes back, milliseconds; above 0
   */
  sweep(nowMs: number): void {
    this.sweptAtMs = nowMs;
    for (const client of this.clients as Set<Client>) {
      if (client.idleSinceMs === JUST_IDLE) client.idleSinceMs = nowMs;
      else if (client.idleSinceMs > 0 && nowMs - client.idleSinceMs >= this.keepAliveMs)
        client.emit('timeout');
    }
  }

  private watch(socket: Socket): void {
    this.clients.add(socket);
    socket.on('close', this.forget);
    Object.assign(socket, { idleSinceMs: NOT_IDLE, setTimeout: this.setTimeout });
  }
}

function forgetIn(clients: Set<Socket>): (this: Socket) => void {
  return function forget() {
    clients.delete(this);
  };
}

/** Newer versions of Node wait for this much longer than they promise, ms. */
const NODE_ADDS_MS = 1_000;

/**
 * Replaces `socket.setTimeout`. A timer as long as the server's `keepAliveTimeout`, set when no response has the connection,
 * is that for idle connections, and is only noted.
 */
function setTimeoutOrNote(keepAliveMs: number) {
  return function setTimeout(this: Socket, ms: number, onTimeout?: () => void): Socket {
    const isAsLong = ms === keepAliveMs || ms === keepAliveMs + NODE_ADDS_MS;
    const isWish = isAsLong && onTimeout === undefined && responseOn(this) === null;
    (this as Client).idleSinceMs = isWish ? JUST_IDLE : NOT_IDLE;
    const timerMs = isWish ? 0 : ms;
    // No timer is wanted and none is set.
    if (timerMs === 0 && (this.timeout ?? 0) === 0) return this;
    return Socket.prototype.setTimeout.call(this, timerMs, onTimeout);
  };
}
