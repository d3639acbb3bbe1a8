import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';
import { responseOn } from './response-on-socket.js';

/** How long an idle client connection is kept, ms: above a load balancer's 600 s, so that we never close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 620_000;
/** How often to look for connections that have been idle for too long, milliseconds. */
const SWEEP_MS = 10_000;

const NOT_IDLE = -1;
/** Idle since some time after the last sweep. */
const JUST_IDLE = 0;

/** `idleSinceMs`: a time on the clock of `sweep`, `NOT_IDLE` or `JUST_IDLE`. */
type Client = Socket & { idleSinceMs: number; acceptedAtMs: number };

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
  private readonly ticker = setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();

  /** @param keepAliveMs longer than any other timer of a connection */
  constructor(private readonly keepAliveMs: number) {
    this.setTimeout = setTimeoutOrNote(keepAliveMs);
  }

  /** Takes over the idle time of every connection that the server accepts from now on, and sets its `keepAliveTimeout`. */
  watchAll(server: Server): void {
    server.keepAliveTimeout = this.keepAliveMs;
    server.on(acceptEvent(server), (socket: Socket) => this.watch(socket));
  }

  /** How many client connections there are. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * The connection that has been without a request for longest; one that never had a request counts from its acceptance.
   * Null if all but `except` have a request under way or have been taken off HTTP.
   */
  longestIdle(except: Socket): Socket | null {
    let longest: Socket | null = null;
    let sinceMs = Infinity;
    for (const client of this.clients as Set<Client & { parser: unknown }>) {
      if (client === except || client.parser === null || responseOn(client) !== null) continue;
      const { idleSinceMs, acceptedAtMs } = client;
      const idleMs = idleSinceMs > 0 ? idleSinceMs : acceptedAtMs;
      if (idleMs >= sinceMs) continue;
      longest = client;
      sinceMs = idleMs;
    }
    return longest;
  }

  stop(): void {
    clearInterval(this.ticker);
  }

  /**
   * Ends the connections that have been idle for the whole time, in the same way as Node.
   *
   * @param nowMs a clock that never goes back, milliseconds; above 0
   */
  sweep(nowMs: number): void {
    for (const client of this.clients as Set<Client>) {
      if (client.idleSinceMs === JUST_IDLE) client.idleSinceMs = nowMs;
      else if (client.idleSinceMs > 0 && nowMs - client.idleSinceMs >= this.keepAliveMs)
        client.emit('timeout');
    }
  }

  private watch(socket: Socket): void {
    this.clients.add(socket);
    socket.on('close', this.forget);
    Object.assign(socket, {
      idleSinceMs: NOT_IDLE,
      acceptedAtMs: performance.now(),
      setTimeout: this.setTimeout,
    });
  }
}

function forgetIn(clients: Set<Socket>): (this: Socket) => void {
  return function forget() {
    clients.delete(this);
  };
}

/**
 * Replaces `socket.setTimeout`. A timer as long as the server's `keepAliveTimeout`, or longer (Node adds a second to
 * what it promises), is that for idle connections, and is only noted: no other timer is as long.
 */
function setTimeoutOrNote(keepAliveMs: number) {
  return function setTimeout(this: Socket, ms: number, onTimeout?: () => void): Socket {
    const isWish = ms >= keepAliveMs && onTimeout === undefined;
    (this as Client).idleSinceMs = isWish ? JUST_IDLE : NOT_IDLE;
    const timerMs = isWish ? 0 : ms;
    // No timer is wanted and none is set.
    if (timerMs === 0 && (this.timeout ?? 0) === 0) return this;
    return Socket.prototype.setTimeout.call(this, timerMs, onTimeout);
  };
}
