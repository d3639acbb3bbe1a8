import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { maxClientConnections } from '../agent-client/descriptor-limit.js';
import { acceptEvent } from '../node-internals/accept-event.js';
import { setCheckingInterval } from '../node-internals/checking-interval.js';
import { IdleClients } from '../node-internals/idle-clients.js';
import { setMaxHeaderSize } from '../node-internals/max-header-size.js';
import { boundClientConnections } from './client-connections.js';
import { answerClientErrors } from './client-errors.js';
import { slowTinyPieces } from './tiny-pieces.js';

/** What counts before it is known whom a request is for. */
export interface ListenerLimits {
  /** From the first byte of a request to the end of its head, milliseconds. */
  readonly headersTimeoutMs?: number;
  /** From the first byte of a request to its last, milliseconds; requests to sandboxes are excepted. 0: no limit. */
  readonly requestTimeoutMs?: number;
  /** How long an idle client connection is kept, milliseconds: above a load balancer's own. */
  readonly keepAliveTimeoutMs?: number;
  /** How large the head of a request may be, bytes. */
  readonly maxHeaderBytes?: number;
  /** How many fields the head of a request may have; 0: as many as there is room for. */
  readonly maxHeaderFields?: number;
  /** Clients' connections at a time; by default not quite half of the descriptors that the process may have. */
  readonly maxConnections?: number;
}

/** A hand on what runs by itself. */
export interface ListenerProtection {
  /**
   * Looks for idle connections, as happens every 10 s anyway: one that was idle at an earlier look, and has been for the
   * whole keep-alive time since, is closed.
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
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 620_000,
  maxHeaderBytes: 65_536,
  maxHeaderFields: 0,
};
/** How often heads and bodies that take too long are looked for, milliseconds; Node's own default is 30 s. */
const CHECKING_INTERVAL_MS = 1_000;
/** How often connections that have become idle are closed while the server closes, milliseconds. */
const CLOSING_SWEEP_MS = 100;
/** When the kernel starts to ask a silent client whether it is still there, milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Sets the limits of a listener that is the application's own, for every request over it. The module does not do so by
 * itself, because other routes would feel it. To be called before the server listens.
 */
export function protectListener(server: Server, limits: ListenerLimits = {}): ListenerProtection {
  const settings = { maxConnections: maxClientConnections(), ...DEFAULTS, ...limits };
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
  boundClientConnections(server, idle, settings.maxConnections);
  answerClientErrors(server);
  server.once('close', () => idle.stop());
  closeIdleWhileClosing(server);
  return { closeIdle: (nowMs) => idle.sweep(nowMs) };
}

/**
 * Node closes the connections that are idle when `close` is called, and waits for the others: those that become idle later
 * would be kept for their whole keep-alive time.
 */
function closeIdleWhileClosing(server: Server): void {
  const close = server.close.bind(server);
  server.close = (done?: (error?: Error) => void) => {
    const sweep = setInterval(() => server.closeIdleConnections(), CLOSING_SWEEP_MS).unref();
    server.once('close', () => clearInterval(sweep));
    return close(done);
  };
}
