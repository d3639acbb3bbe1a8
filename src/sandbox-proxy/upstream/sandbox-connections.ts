import { SandboxBusyError } from '../sandbox-proxy.errors.js';
import type { SandboxProxyOptions } from '../sandbox-proxy.options.js';
import type { AgentConnector } from './agent-connector.js';
import type { AgentOrigin } from './agent-address.js';
import type { UpstreamCall } from './upstream-call.js';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.js';

/** Safe to send twice: nothing happens by them (RFC 9110 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The pool's coarse clock, milliseconds; it moves on a few times a second. */
export interface CoarseClock {
  nowMs: number;
}

/** The connections of one sandbox to its agent: never another sandbox's, whatever the agent writes into them. */
export class SandboxConnections implements ConnectionOwner {
  private readonly all = new Set<UpstreamConnection>();
  /** The most recently used last. */
  private readonly idle: UpstreamConnection[] = [];
  private isReleased = false;

  constructor(
    readonly sandboxId: string,
    readonly origin: AgentOrigin,
    private readonly connector: AgentConnector,
    private readonly options: SandboxProxyOptions,
    private readonly clock: CoarseClock,
  ) {}

  get nowMs(): number {
    return this.clock.nowMs;
  }

  get firstByteTimeoutMs(): number {
    return this.options.firstByteTimeoutMs;
  }

  /** How many are open: busy, idle and upgraded. */
  get size(): number {
    return this.all.size;
  }

  /**
   * Puts the call on the connection used last, or on a new one; an upgrade always on a new one.
   *
   * @throws SandboxBusyError when there are as many as there may be
   */
  start(call: UpstreamCall): void {
    const idle = call.request.isUpgrade ? undefined : this.idle.pop();
    call.startOn(idle ?? this.connect(call.request.isUpgrade));
  }

  /** Lets idle connections go, and those in use once they have served. */
  release(): void {
    this.isReleased = true;
    for (const connection of this.idle.splice(0)) connection.close();
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
  }

  onIdle(connection: UpstreamConnection): void {
    if (this.isReleased || this.idle.length >= this.options.maxIdlePerSandbox) {
      connection.close();
      return;
    }
    connection.idleSinceMs = this.nowMs;
    this.idle.push(connection);
  }

  onGone(connection: UpstreamConnection): void {
    this.all.delete(connection);
    const at = this.idle.indexOf(connection);
    if (at !== -1) this.idle.splice(at, 1);
  }

  onDiedIdle(call: UpstreamCall): boolean {
    if (call.request.hasBody || !SAFE_METHODS.has(call.request.method)) return false;
    if (this.all.size >= this.options.maxConnectionsPerSandbox) return false;
    call.startOn(this.connect(false));
    return true;
  }

  private connect(isUpgrade: boolean): UpstreamConnection {
    if (this.all.size >= this.options.maxConnectionsPerSandbox) throw new SandboxBusyError();
    const socket = this.connector.connect(
      this.origin,
      isUpgrade,
      () => connection.onConnected(),
      (buffer, length) => connection.onRead(buffer, length),
    );
    const connection = new UpstreamConnection(socket, this);
    connection.deadlineMs = this.nowMs + this.options.connectTimeoutMs;
    this.all.add(connection);
    return connection;
  }
}
