import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Peers } from '../address/peer.js';
import { toBlockList } from '../agent-client/agent-address.js';
import { acceptEvent } from '../node-internals/accept-event.js';
import { setCheckingInterval } from '../node-internals/checking-interval.js';
import { IdleClients, KEEP_ALIVE_TIMEOUT_MS } from '../node-internals/idle-clients.js';
import { setMaxHeaderSize } from '../node-internals/max-header-size.js';
import { ClientConnections } from './client-connections.js';
import { answerClientErrors } from './client-errors.js';
import { maxClientConnections } from './max-client-connections.js';
import { slowTinyPieces } from './tiny-pieces.js';

/** Limits of a listener, which apply before it is known whom a request is for. */
export interface ListenerLimits {
  /** From the first byte of a request to the end of its head, milliseconds. */
  readonly headersTimeoutMs?: number;
  /** From the first byte of a request to its last, milliseconds; not for requests to sandboxes. 0: no limit. */
  readonly requestTimeoutMs?: number;
  /** How long an idle client connection is kept, milliseconds: should be above a load balancer's own time. */
  readonly keepAliveTimeoutMs?: number;
  /** Most bytes of the head of a request. */
  readonly maxHeaderBytes?: number;
  /** Most fields of the head of a request; 0: as many as fit. */
  readonly maxHeaderFields?: number;
  /** How long a client may take no byte of an answer that waits for it, milliseconds. */
  readonly unreadTimeoutMs?: number;
  /**
   * Most client connections at a time; by default 45 % of the descriptors that the process may have, and no more than its
   * memory allows. Above it one is closed for each new one (`ClosingOrder`): call `noteAdmitted` for connections whose clients
   * your own routes have admitted, so that these are kept while they are in use.
   */
  readonly maxConnections?: number;
  /** How many processes like this one share the memory of the machine or container. */
  readonly processes?: number;
  /** CIDR blocks or addresses of proxies in front: these bring many clients from one address. */
  readonly trustedProxies?: readonly string[];
}

/** Control over what a protected listener does by itself. */
export interface ListenerProtection {
  /**
   * Closes connections that have been idle for the whole keep-alive time since an earlier call found them idle, and those
   * whose clients have read nothing for the whole time that they have. Happens by itself every 10 s.
   *
   * @param nowMs on the clock of `performance.now`
   */
  closeIdle(nowMs: number): void;
}

const PROTECTED = new WeakSet<Server>();

/** Whether `protectListener` has been called for the server. */
export function isProtected(server: Server): boolean {
  return PROTECTED.has(server);
}

const DEFAULTS: Required<Omit<ListenerLimits, 'maxConnections'>> = {
  processes: 1,
  trustedProxies: [],
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
  maxHeaderBytes: 65_536,
  maxHeaderFields: 0,
  unreadTimeoutMs: 300_000,
};
/** How often to look for connections that are idle or unread for too long, milliseconds. */
const SWEEP_MS = 10_000;
/** How often to look for heads and bodies that take too long, milliseconds; Node's own default is 30 s. */
const CHECKING_INTERVAL_MS = 1_000;
/** How often to close connections that have become idle while the server is closing, milliseconds. */
const CLOSING_SWEEP_MS = 100;
/** When the kernel starts to ask a silent client whether it is still there, milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Sets the limits of a listener, for every request to it. The module does not do this by itself, because it affects the
 * application's own routes. To be called before the server listens.
 */
export function protectListener(server: Server, limits: ListenerLimits = {}): ListenerProtection {
  const settings = { ...DEFAULTS, ...limits };
  const { maxConnections = maxClientConnections(settings.processes) } = settings;
  PROTECTED.add(server);
  server.headersTimeout = settings.headersTimeoutMs;
  server.requestTimeout = settings.requestTimeoutMs;
  server.maxHeadersCount = settings.maxHeaderFields;
  setMaxHeaderSize(server, settings.maxHeaderBytes);
  setCheckingInterval(server, CHECKING_INTERVAL_MS);
  server.on('connection', (socket: Socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
  server.on(acceptEvent(server), slowTinyPieces);
  const idle = new IdleClients(settings.keepAliveTimeoutMs);
  idle.watchAll(server);
  const peers = new Peers(toBlockList(settings.trustedProxies));
  const clients = new ClientConnections(maxConnections, idle, peers);
  clients.watchAll(server);
  answerClientErrors(server);
  closeIdleWhileClosing(server);
  const closeIdle = (nowMs: number) => {
    idle.sweep(nowMs);
    clients.closeUnread(nowMs, settings.unreadTimeoutMs);
  };
  const sweep = setInterval(() => closeIdle(performance.now()), SWEEP_MS).unref();
  server.once('close', () => clearInterval(sweep));
  return { closeIdle };
}

/**
 * Closes connections that become idle while the server is closing. By itself Node closes only those that are idle when
 * `close` is called, and keeps the others for their whole keep-alive time.
 */
function closeIdleWhileClosing(server: Server): void {
  const close = server.close.bind(server);
  server.close = (done?: (error?: Error) => void) => {
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSING_SWEEP_MS).unref();
    server.once('close', () => clearInterval(sweep));
    return close(done);
  };
}
