import { Injectable } from '@nestjs/common';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { serverStops } from '../exchange/cut.js';
import { OpenAccess } from '../open-access/open-access.js';
import { Tunnels } from '../relay/tunnels.js';
import { SandboxUpgradeListener } from './upgrade.listener.js';

/** What a health check wants to know of the proxy. */
export interface SandboxProxyState {
  /** True from `drain()` on. */
  readonly isDraining: boolean;
  /** False where changes are not told at once: what is remembered is then asked for again every few seconds. */
  readonly isFeedLive: boolean;
  /** Requests and tunnels that have been let in and are under way. */
  readonly open: number;
  /** Of these, tunnels. */
  readonly tunnels: number;
  /** Connections to agents, of this process. */
  readonly agentConnections: number;
}

/** The proxy as a whole, for the application around it. */
@Injectable()
export class SandboxProxy {
  private isDraining = false;

  constructor(
    private readonly upgrades: SandboxUpgradeListener,
    private readonly tunnels: Tunnels,
    private readonly access: OpenAccess,
    private readonly pool: HostClientPool,
    private readonly feed: ChangeFeed,
  ) {}

  /**
   * The application is about to stop: tunnels end (WebSockets with 1001), and no further upgrade is taken (503
   * `shutting_down`). Requests go on. Called by itself when Nest shuts the application down.
   */
  drain(): void {
    this.isDraining = true;
    this.upgrades.drain();
    this.tunnels.drain();
  }

  /** Ends the requests that are still under way: they are answered 503 `shutting_down`, or cut off. */
  cutAll(): void {
    for (const group of this.access.all()) group.cut(group.snapshot(), serverStops());
  }

  get state(): SandboxProxyState {
    return {
      isDraining: this.isDraining,
      isFeedLive: this.feed.isLive,
      open: this.access.size,
      tunnels: this.tunnels.size,
      agentConnections: this.pool.size,
    };
  }
}
