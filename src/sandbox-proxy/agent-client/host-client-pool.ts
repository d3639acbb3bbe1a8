import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { HostUnavailableError } from '../errors.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { type AgentOrigin, parseAgentAddress } from './agent-address.js';
import { AgentConnector } from './agent-connector.js';
import { maxConnectionsPerSide } from './descriptor-limit.js';
import { PoolShares } from './pool-shares.js';
import { SandboxConnections } from './sandbox-connections.js';
import { UpstreamCall, type UpstreamListener, type UpstreamRequest } from './upstream-call.js';

/** How often deadlines and idle times are checked, ms: one coarse clock instead of a timer per request. */
const TICK_MS = 250;
/** Most parsed addresses kept; there is one per host. */
const MAX_ADDRESSES = 10_000;

/**
 * Keep-alive HTTP/1.1 connections to the host agents, for sandbox traffic alone and separate for each sandbox. The options
 * bound their number and idle time. They are closed on shutdown.
 */
@Injectable()
export class HostClientPool implements OnApplicationShutdown {
  /** By sandbox id: the connections that new requests use. */
  private readonly current = new Map<string, SandboxConnections>();
  /** All that have a connection open, including those that were evicted while busy. */
  private readonly alive = new Set<SandboxConnections>();
  private readonly addresses = new Map<string, AgentOrigin | null>();
  private readonly connector: AgentConnector;
  private readonly shares = new PoolShares(maxConnectionsPerSide(), this.alive);
  private readonly ticker: NodeJS.Timeout;

  constructor(@Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions) {
    this.connector = new AgentConnector(options);
    this.ticker = setInterval(() => this.tick(performance.now()), TICK_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.ticker);
    for (const connections of this.alive) connections.close();
  }

  /**
   * Refuses this port of this machine from now on: it is the process's own, and a host row that names it would be a
   * loop.
   */
  refuseOwnPort(port: number): void {
    this.connector.ownPort = port;
    this.addresses.clear();
  }

  /**
   * Parses a host's address.
   *
   * @param address `ip:port`, `name:port` or `http(s)://…`, as the directory has it
   * @throws HostUnavailableError when it is empty, not an address, or refused
   */
  resolveAddress(address: string): AgentOrigin {
    let origin = this.addresses.get(address);
    if (origin === undefined) {
      origin = parseAgentAddress(address, this.options.agentScheme);
      if (origin !== null && !this.connector.mayConnect(origin)) origin = null;
      if (this.addresses.size >= MAX_ADDRESSES) this.addresses.clear();
      this.addresses.set(address, origin);
    }
    if (origin === null) throw new HostUnavailableError();
    return origin;
  }

  /**
   * Sends a request over the sandbox's most recently used idle connection, or over a new one.
   *
   * @throws SandboxBusyError when the sandbox has all the connections that it may have
   */
  dispatch(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const call = new UpstreamCall(request, listener);
    this.connectionsOf(request).start(call);
    return call;
  }

  /** Closes a sandbox's idle connections. Requests under way go on, and their connections are closed after them. */
  evict(sandboxId: string): void {
    const connections = this.current.get(sandboxId);
    if (connections === undefined) return;
    this.current.delete(sandboxId);
    connections.release();
  }

  /** How many connections are open to a sandbox's current host: busy, idle and upgraded. */
  sizeOf(sandboxId: string): number {
    return this.current.get(sandboxId)?.size ?? 0;
  }

  /** Connections open in all. */
  get size(): number {
    return this.shares.size;
  }

  /** Moves the clock on to `nowMs`. */
  tick(nowMs: number): void {
    this.shares.nowMs = nowMs;
    for (const connections of this.alive) {
      connections.tick();
      if (connections.isEmpty) this.forget(connections);
    }
  }

  private connectionsOf({ sandboxId, teamId, origin }: UpstreamRequest): SandboxConnections {
    const known = this.current.get(sandboxId);
    if (known !== undefined && known.origin === origin && known.teamId === teamId) return known;
    // The sandbox has moved, or is another team's: its idle connections are of no further use.
    if (known !== undefined) this.evict(sandboxId);
    const connections = new SandboxConnections(
      sandboxId,
      teamId,
      origin,
      this.connector,
      this.options,
      this.shares,
    );
    this.alive.add(connections);
    this.current.set(sandboxId, connections);
    return connections;
  }

  private forget(connections: SandboxConnections): void {
    this.alive.delete(connections);
    if (this.current.get(connections.sandboxId) === connections) this.current.delete(connections.sandboxId);
  }
}
