import { Socket } from 'node:net';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** How long an idle client connection is kept, ms: above a load balancer's 600 s, so that it is never ours that closes first. */
export const KEEP_ALIVE_TIMEOUT_MS = 620_000;
/** How often it is looked for such connections, milliseconds. */
const SWEEP_MS = 10_000;

const NOT_IDLE = -1;
/** Idle since some time after the last sweep. */
const JUST_IDLE = 0;

/** `idleSinceMs`: a time on the sweeps' clock, or one of the above. */
type Client = Socket & { idleSinceMs: number };

/**
 * Closes client connections over which no request has come for long. Node sets a timer for each of them after each
 * answer and takes it away with the next request (1-2 % of what a small request costs; Node 20.20, 2026-11). Here its
 * wish for that timer is only noted, and one look at all connections now and then does the rest: never too early, and
 * up to two sweeps late.
 */
@Injectable()
export class IdleClients implements OnApplicationShutdown {
  private readonly clients = new Set<Socket>();
  /** One for all connections, of which there are thousands. */
  private readonly forget = forgetIn(this.clients);
  private readonly ticker = setInterval(() => this.sweep(performance.now()), SWEEP_MS).unref();

  onApplicationShutdown(): void {
    clearInterval(this.ticker);
  }

  /** Takes over the idle time of a connection that has been accepted. */
  watch(socket: Socket): void {
    if (this.clients.has(socket)) return;
    this.clients.add(socket);
    socket.on('close', this.forget);
    Object.assign(socket, { idleSinceMs: NOT_IDLE, setTimeout: setTimeoutOrNote });
  }

  /**
   * Ends the connections that have been idle for the whole time, in the way in which Node does.
   *
   * @param nowMs milliseconds that only grow, more than 0
   */
  sweep(nowMs: number): void {
    for (const client of this.clients as Set<Client>) {
      if (client.idleSinceMs === JUST_IDLE) client.idleSinceMs = nowMs;
      else if (client.idleSinceMs > 0 && nowMs - client.idleSinceMs >= KEEP_ALIVE_TIMEOUT_MS)
        client.emit('timeout');
    }
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
function setTimeoutOrNote(this: Client, ms: number, onTimeout?: () => void): Socket {
  const isWish = ms >= KEEP_ALIVE_TIMEOUT_MS && onTimeout === undefined;
  this.idleSinceMs = isWish ? JUST_IDLE : NOT_IDLE;
  const timerMs = isWish ? 0 : ms;
  // Where no timer is set there is none to take away.
  if (timerMs === 0 && (this.timeout ?? 0) === 0) return this;
  return Socket.prototype.setTimeout.call(this, timerMs, onTimeout);
}
