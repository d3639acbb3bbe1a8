import { SandboxBusyError } from '../errors.js';
import type { SandboxProxyOptions } from '../options.js';
import type { AgentConnector } from './agent-connector.js';
import type { AgentOrigin } from './agent-address.js';
import type { UpstreamCall } from './upstream-call.js';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.js';

/** Safe to send twice: nothing happens by them (RFC 9110 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Requests of one sandbox that wait for one of its connections. */
const MAX_WAITING = 10_000;

/** What all sandboxes' connections share. */
export interface PoolState {
  /** The pool's coarse clock, milliseconds; it moves on a few times a second. */
  nowMs: number;
  /** Connections open in all. */
  open: number;
  readonly maxOpen: number;
  /** Closes a connection that is idle, of any sandbox; false where none is. */
  readonly makeRoom: () => boolean;
}

/** The connections of one sandbox to its agent: never another sandbox's, whatever the agent writes into them. */
export class SandboxConnections implements ConnectionOwner {
  private readonly all = new Set<UpstreamConnection>();
  /** The most recently used last. */
  private readonly idle: UpstreamConnection[] = [];
  /** Those that found no connection, the longest waiting first. */
  private readonly waiting: { readonly call: UpstreamCall; readonly deadlineMs: number }[] = [];
  private isReleased = false;

  constructor(
    readonly sandboxId: string,
    readonly origin: AgentOrigin,
    private readonly connector: AgentConnector,
    private readonly options: SandboxProxyOptions,
    private readonly pool: PoolState,
  ) {}

  get nowMs(): number {
    return this.pool.nowMs;
  }

  get firstByteTimeoutMs(): number {
    return this.options.firstByteTimeoutMs;
  }

  get isEmpty(): boolean {
    return this.all.size === 0 && this.waiting.length === 0;
  }

  /** How many are open: busy, idle and upgraded. */
  get size(): number {
    return this.all.size;
  }

  /**
   * Puts the call on the connection used last, or on a new one; an upgrade always on a new one. Where there are as
   * many as there may be, a request without a body waits for one.
   *
   * @throws SandboxBusyError where the call cannot wait
   */
  start(call: UpstreamCall): void {
    const { hasBody, isUpgrade } = call.request;
    const idle = isUpgrade ? undefined : this.idle.pop();
    if (idle !== undefined) call.startOn(idle);
    else if (this.hasRoom) call.startOn(this.connect(isUpgrade));
    else if (hasBody || isUpgrade || this.waiting.length >= MAX_WAITING) throw new SandboxBusyError();
    else this.waiting.push({ call, deadlineMs: this.nowMs + this.options.connectTimeoutMs });
  }

  /** Lets idle connections go, and those in use once they have served. */
  release(): void {
    this.isReleased = true;
    for (const connection of this.idle.splice(0)) connection.close();
  }

  /** Closes the connection that has been idle longest; false where none is idle. */
  dropIdle(): boolean {
    const [oldest] = this.idle;
    oldest?.close();
    return oldest !== undefined;
  }

  /** Closes all of them, now. */
  close(): void {
    this.isReleased = true;
    for (const connection of this.all) connection.close();
  }

  /** Ends what waited too long, lets go what lay idle too long. */
  tick(): void {
    const { nowMs, idle } = this;
    while (idle[0] !== undefined && nowMs - idle[0].idleSinceMs >= this.options.idleTimeoutMs)
      idle[0].close();
    for (const connection of this.all) if (nowMs >= connection.deadlineMs) connection.timeOut();
    while (this.waiting[0] !== undefined && nowMs >= this.waiting[0].deadlineMs)
      this.waiting.shift()?.call.refuse();
  }

  onIdle(connection: UpstreamConnection): void {
    const next = this.nextWaiting();
    if (next !== undefined) {
      next.startOn(connection);
      return;
    }
    if (this.isReleased || this.idle.length >= this.options.maxIdlePerSandbox) {
      connection.close();
      return;
    }
    connection.idleSinceMs = this.nowMs;
    this.idle.push(connection);
  }

  onGone(connection: UpstreamConnection): void {
    if (!this.all.delete(connection)) return;
    const at = this.idle.indexOf(connection);
    if (at !== -1) this.idle.splice(at, 1);
    this.pool.open -= 1;
    if (!this.hasRoom) return;
    const next = this.nextWaiting();
    if (next !== undefined) next.startOn(this.connect(false));
  }

  onDiedIdle(call: UpstreamCall): boolean {
    if (call.request.hasBody || !SAFE_METHODS.has(call.request.method)) return false;
    if (!this.hasRoom) return false;
    call.startOn(this.connect(false));
    return true;
  }

  private get hasRoom(): boolean {
    if (this.all.size >= this.options.maxConnectionsPerSandbox) return false;
    return this.pool.open < this.pool.maxOpen || this.pool.makeRoom();
  }

  /** The longest waiting call whose client has not left meanwhile. */
  private nextWaiting(): UpstreamCall | undefined {
    let next = this.waiting.shift();
    while (next?.call.isAborted === true) next = this.waiting.shift();
    return next?.call;
  }

  private connect(isUpgrade: boolean): UpstreamConnection {
    const socket = this.connector.connect(
      this.origin,
      isUpgrade,
      () => connection.onConnected(),
      (buffer, length) => connection.onRead(buffer, length),
    );
    const connection = new UpstreamConnection(socket, this);
    connection.deadlineMs = this.nowMs + this.options.connectTimeoutMs;
    this.all.add(connection);
    this.pool.open += 1;
    return connection;
  }
}
