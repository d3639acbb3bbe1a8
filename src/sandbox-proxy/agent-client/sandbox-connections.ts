import { SandboxBusyError } from '../errors.js';
import type { SandboxProxyOptions } from '../options.js';
import type { AgentConnector } from './agent-connector.js';
import type { AgentOrigin } from './agent-address.js';
import type { PoolShares } from './pool-shares.js';
import type { UpstreamCall } from './upstream-call.js';
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.js';

/** May be sent twice, since they change nothing (RFC 9110 9.2.1). */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * A connection is closed this long before the agent would close it, milliseconds, so that no request is lost on the
 * way.
 */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** How long a request may wait on a connection to an agent that does not accept new ones, milliseconds. */
const SUSPECT_MS = 10_000;

/**
 * The connections of one sandbox to its agent. No other sandbox uses them, so what the agent writes unasked reaches no
 * other.
 */
export class SandboxConnections implements ConnectionOwner {
  private readonly all = new Set<UpstreamConnection>();
  /** The most recently used last. */
  private readonly idle: UpstreamConnection[] = [];
  /** Calls that found no connection, with their deadlines; first the one that has waited longest. */
  private readonly waiting = new Map<UpstreamCall, number>();
  private isReleased = false;

  constructor(
    readonly sandboxId: string,
    readonly teamId: string,
    readonly origin: AgentOrigin,
    private readonly connector: AgentConnector,
    private readonly options: SandboxProxyOptions,
    private readonly shares: PoolShares,
  ) {}

  get nowMs(): number {
    return this.shares.nowMs;
  }

  get firstByteTimeoutMs(): number {
    return this.options.firstByteTimeoutMs;
  }

  get isEmpty(): boolean {
    return this.all.size === 0 && this.waiting.size === 0;
  }

  get wantsMore(): boolean {
    return this.waiting.size > 0 && this.all.size < this.max;
  }

  /** How many are open: busy, idle and upgraded. */
  get size(): number {
    return this.all.size;
  }

  /**
   * Puts the call on the idle connection used last, or on a new one; an upgrade always on a new one. If there may be no
   * more connections, a request without a body waits for one.
   *
   * @throws SandboxBusyError if there is no connection and the call cannot wait
   */
  start(call: UpstreamCall): void {
    const { hasBody, isUpgrade } = call.request;
    const idle = isUpgrade ? undefined : this.takeIdle();
    if (idle !== undefined) call.startOn(idle);
    else if (this.hasRoom) call.startOn(this.connect(isUpgrade));
    else if (hasBody || isUpgrade || !this.shares.mayWait(this.teamId, this.waiting.size))
      throw new SandboxBusyError();
    else this.wait(call);
  }

  /** Closes idle connections, and each of the others once its request is done. */
  release(): void {
    this.isReleased = true;
    for (const connection of this.idle.splice(0)) connection.close();
  }

  /** Closes the connection that has been idle longest; false if none is idle. */
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

  /** Ends what has waited too long, and closes what has been idle too long. */
  tick(): void {
    const { nowMs } = this;
    const suspectSinceMs = this.shares.suspectSince(this.origin.authority);
    const isGivenUp = ({ isAwaitingHead, awaitingSinceMs }: UpstreamConnection) =>
      suspectSinceMs !== null &&
      isAwaitingHead &&
      nowMs - Math.max(suspectSinceMs, awaitingSinceMs) >= SUSPECT_MS;
    for (const connection of this.idle.filter(({ idleUntilMs }) => nowMs >= idleUntilMs)) connection.close();
    for (const connection of this.all) {
      if (nowMs >= connection.deadlineMs || isGivenUp(connection)) connection.timeOut();
    }
    for (const [call, deadlineMs] of this.waiting) {
      if (nowMs < deadlineMs) break;
      this.leave(call);
      call.refuse();
    }
  }

  /** Starts the call that has waited longest on a new connection; false if none waits, or there is no room. */
  startWaiting(): boolean {
    if (this.waiting.size === 0 || !this.hasRoom) return false;
    this.nextWaiting()?.startOn(this.connect(false));
    return true;
  }

  onIdle(connection: UpstreamConnection): void {
    const isMine = !this.shares.isTurnOfAnother(this);
    const next = isMine ? this.nextWaiting() : undefined;
    if (next !== undefined) {
      this.shares.served(this);
      next.startOn(connection);
      return;
    }
    const keepMs = Math.min(this.options.idleTimeoutMs, connection.keepAliveMs - KEEP_ALIVE_MARGIN_MS);
    if (!isMine || this.isReleased || keepMs <= 0 || this.idle.length >= this.options.maxIdlePerSandbox) {
      connection.close();
      return;
    }
    connection.idleUntilMs = this.nowMs + keepMs;
    this.idle.push(connection);
  }

  onProven(): void {
    this.shares.trust(this.origin.authority);
  }

  /** The agent accepts no new connections, so its idle ones are probably dead too. */
  onConnectTimeout(): void {
    this.shares.suspect(this.origin.authority);
    for (const connection of this.idle.splice(0)) connection.close();
  }

  onGone(connection: UpstreamConnection): void {
    if (!this.all.delete(connection)) return;
    const at = this.idle.indexOf(connection);
    if (at !== -1) this.idle.splice(at, 1);
    this.shares.close(this.teamId);
    if (this.wantsMore) this.shares.await(this);
    this.shares.wake();
  }

  onDiedIdle(call: UpstreamCall, unsent: string | null): boolean {
    const { hasBody, method } = call.request;
    const mayBeSentTwice = !hasBody && SAFE_METHODS.has(method);
    if (unsent === null && !mayBeSentTwice) return false;
    if (!this.hasRoom) return false;
    call.startOn(this.connect(false), unsent ?? undefined);
    return true;
  }

  /** Whether there may be another connection. To make room, an idle one, which an upgrade could not use, is closed. */
  private get hasRoom(): boolean {
    if (this.all.size >= this.max && !this.dropIdle()) return false;
    return this.shares.hasRoomFor(this.teamId);
  }

  /** How many connections the sandbox may have. */
  private get max(): number {
    return Math.min(this.options.maxConnectionsPerSandbox, this.shares.maxPerSandbox);
  }

  /** The idle connection used last, unless the agent may have closed it by now. */
  private takeIdle(): UpstreamConnection | undefined {
    let connection = this.idle.pop();
    while (connection !== undefined && this.nowMs >= connection.idleUntilMs) {
      connection.close();
      connection = this.idle.pop();
    }
    return connection;
  }

  /** The call waits until it is started, refused, or its client leaves. */
  private wait(call: UpstreamCall): void {
    this.waiting.set(call, this.nowMs + this.options.connectTimeoutMs);
    this.shares.noteWaiting(this.teamId, 1);
    this.shares.await(this);
    call.onAbort = () => this.leave(call);
  }

  private leave(call: UpstreamCall): void {
    if (this.waiting.delete(call)) this.shares.noteWaiting(this.teamId, -1);
  }

  /** The call that has waited longest; it no longer does. */
  private nextWaiting(): UpstreamCall | undefined {
    const [next] = this.waiting.keys();
    if (next !== undefined) this.leave(next);
    return next;
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
    this.shares.open(this.teamId);
    return connection;
  }
}
