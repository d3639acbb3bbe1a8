import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { acceptEvent } from './accept-event.js';
import { responseOn } from './response-on-socket.js';

/** How long an idle client connection is kept, ms: above a load balancer's 600 s, so that it is never ours that closes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 620_000;
/** How often such connections are looked for, milliseconds. */
const SWEEP_MS = 10_000;

const NOT_IDLE = -1;
/** Idle since some time after the last sweep. */
const JUST_IDLE = 0;

/** `idleSinceMs`: a time on the sweeps' clock, or one of the above. */
type Client = Socket & { idleSinceMs: number; acceptedAtMs: number };

/**
 * Closes client connections over which no request has come for long. Node sets a timer for each of them after each
 * answer and takes it away with the next request (1-2 % of what a small request costs; Node 20.20, 2026-11). Here its
 * wish for that timer is only noted, and one look at all connections now and then does the rest: never too early, and
 * up to two sweeps late. For a server of our own: every request over it has this clock.
 */
export class IdleClients {
  private readonly clients = new Set<Socket>();
  /** One for all connections, of which there are thousands; so is the next. */
  private readonly forget = forgetIn(this.clients);
  private readonly setTimeout: Socket['setTimeout'];
  private readonly ticker = setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();

  /** @param keepAliveMs longer than any other timer of a connection */
  constructor(private readonly keepAliveMs = KEEP_ALIVE_TIMEOUT_MS) {
    this.setTimeout = setTimeoutOrNote(keepAliveMs);
  }

  /** Takes over the idle time of every connection that the server accepts from now on, and sets its `keepAliveTimeout`. */
  watchAll(server: Server): void {
    server.keepAliveTimeout = this.keepAliveMs;
    server.on(acceptEvent(server), (socket: Socket) => this.watch(socket));
  }

  /** How many connections there are. */
  get size(): number {
    return this.clients.size;
  }

  /**
   * The connection over which no request has been under way for longest, counted from its acceptance where none ever was;
   * null where all but `except` have one, or have been taken off HTTP.
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
   * Ends the connections that have been idle for the whole time, in the way in which Node does.
   *
   * @param nowMs milliseconds that only grow, more than 0
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
 * In the place of `socket.setTimeout`. A timer as long as the server's `keepAliveTimeout`, or longer (Node adds a second
 * to what it promises), is the wish; no other is as long.
 */
function setTimeoutOrNote(keepAliveMs: number) {
  return function setTimeout(this: Socket, ms: number, onTimeout?: () => void): Socket {
    const isWish = ms >= keepAliveMs && onTimeout === undefined;
    (this as Client).idleSinceMs = isWish ? JUST_IDLE : NOT_IDLE;
    const timerMs = isWish ? 0 : ms;
    // Where no timer is set there is none to take away.
    if (timerMs === 0 && (this.timeout ?? 0) === 0) return this;
    return Socket.prototype.setTimeout.call(this, timerMs, onTimeout);
  };
}
