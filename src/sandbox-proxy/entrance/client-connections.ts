import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Peers } from '../address/peer.js';
import { rawAnswer } from '../answers/raw-answer.js';
import { ProxyBusyError } from '../errors.js';
import { acceptEvent, connectionBelow } from '../node-internals/accept-event.js';
import type { IdleClients } from '../node-internals/idle-clients.js';
import { ClientConnection } from './client-connection.js';
import { ClosingOrder } from './closing-order.js';

/** For how long an order of closing is followed before it is made anew, ms. */
const ORDER_MS = 500;
/** To make one costs a look at every connection. One that names at least this share of them has paid for that. */
const WORTHWHILE = 1 / 8;

/** Keeps the client connections of a server within a number, and closes those whose clients do not read. */
export class ClientConnections {
  private readonly all = new Map<Socket, ClientConnection>();
  private order = new ClosingOrder<ClientConnection>([], 0);
  private isWorthwhile = false;
  private orderAgainAtMs = 0;

  /** @param max how many there may be */
  constructor(
    private readonly max: number,
    private readonly idle: IdleClients,
    private readonly peers: Peers,
  ) {}

  /** Watches all connections that the server accepts from now on. */
  watchAll(server: Server): void {
    const isTls = acceptEvent(server) === 'secureConnection';
    const forget = forgetIn(this.all);
    server.on('connection', (tcp: Socket) => {
      const connection = new ClientConnection(tcp, this.idle, this.peers);
      if (!isTls) connection.http = tcp;
      this.all.set(tcp, connection);
      tcp.on('close', forget);
      if (this.all.size > this.max) this.makeRoom(connection);
    });
    if (!isTls) return;
    server.on('secureConnection', (http: Socket) => {
      const connection = this.all.get(connectionBelow(http));
      if (connection !== undefined) connection.http = http;
    });
  }

  /** Closes the connections whose clients have taken nothing for that long of what waits for them. */
  closeUnread(nowMs: number, timeoutMs: number): void {
    for (const connection of this.all.values()) {
      connection.look(nowMs);
      if (connection.unreadMs(nowMs) >= timeoutMs) connection.close();
    }
  }

  /** Closes another connection in favour of the newest, or refuses the newest if no other may be closed. */
  private makeRoom(newest: ClientConnection): void {
    const other = this.nextToClose(newest);
    if (other !== null) return other.close();
    const { tcp, http } = newest;
    const { code, message } = new ProxyBusyError();
    if (http === null) tcp.destroy();
    else http.end(rawAnswer(code, message), () => http.destroy());
  }

  private nextToClose(newest: ClientConnection): ClientConnection | null {
    if (newest.acceptedAtMs >= this.orderAgainAtMs) this.makeOrder(newest);
    const next = this.order.next();
    if (next !== null || !this.isWorthwhile) return next;
    this.makeOrder(newest);
    return this.order.next();
  }

  private makeOrder(newest: ClientConnection): void {
    const others = [...this.all.values()].filter((connection) => connection !== newest);
    this.order = new ClosingOrder(others, this.max);
    this.isWorthwhile = this.order.size >= others.length * WORTHWHILE;
    this.orderAgainAtMs = newest.acceptedAtMs + ORDER_MS;
  }
}

/** One function for all connections, of which there are thousands. */
function forgetIn(all: Map<Socket, ClientConnection>): (this: Socket) => void {
  return function forget() {
    all.delete(this);
  };
}
