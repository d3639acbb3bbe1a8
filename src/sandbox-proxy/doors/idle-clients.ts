import { Socket } from 'node:net';

/** A client connection, and since when it has been idle; 0 while it is not. */
type Client = Socket & { idleSinceMs: number; readonly [OWNER]: IdleClients };

const OWNER = Symbol('idle clients');

/**
 * Closes client connections over which no request has come for long. Node sets a timer for each of them after each
 * answer and takes it away with the next request (1-2 % of what a small request costs; Node 20.20, 2026-11). Here its
 * wish for that timer is only noted, and one look at all connections now and then does the rest.
 */
export class IdleClients {
  private readonly clients = new Set<Client>();

  /**
   * @param timeoutMs the server's `keepAliveTimeout`: a timer of this length or longer is the wish (Node adds a second to
   *   what it promises); no other may be as long
   * @param nowMs milliseconds that only grow, more than 0; `sweep` moves them on
   */
  constructor(
    readonly timeoutMs: number,
    public nowMs: number,
  ) {}

  /** Takes over the idle time of a connection that has been accepted. */
  watch(socket: Socket): void {
    const client = Object.assign(socket, { idleSinceMs: 0, [OWNER]: this });
    if (this.clients.has(client)) return;
    this.clients.add(client);
    Object.assign(client, { setTimeout: setTimeoutOrNote });
    client.on('close', forget);
  }

  /** Ends the connections that have been idle for the whole time, in the way in which Node does. */
  sweep(nowMs: number): void {
    this.nowMs = nowMs;
    for (const client of this.clients) {
      const { idleSinceMs } = client;
      if (idleSinceMs > 0 && nowMs - idleSinceMs >= this.timeoutMs) client.emit('timeout');
    }
  }

  delete(client: Client): void {
    this.clients.delete(client);
  }
}

/** In the place of `socket.setTimeout`. */
function setTimeoutOrNote(this: Socket, ms: number, onTimeout?: () => void): Socket {
  const client = this as Client;
  const { timeoutMs, nowMs } = client[OWNER];
  const isWish = ms >= timeoutMs && onTimeout === undefined;
  client.idleSinceMs = isWish ? nowMs : 0;
  const timerMs = isWish ? 0 : ms;
  // Where no timer is set there is none to take away.
  if (timerMs === 0 && (client.timeout ?? 0) === 0) return client;
  return Socket.prototype.setTimeout.call(client, timerMs, onTimeout);
}

function forget(this: Socket): void {
  (this as Client)[OWNER].delete(this as Client);
}
