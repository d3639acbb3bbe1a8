import { Injectable } from '@nestjs/common';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { serverStops } from '../exchange/cut.js';
import { OpenAccess } from '../open-access/open-access.js';
import { Tunnels } from '../relay/tunnels.js';
import { SandboxUpgradeListener } from './upgrade.listener.js';

/** The state of the proxy, for health checks. */
export interface SandboxProxyState {
  /** True after `drain()`. */
  readonly isDraining: boolean;
  /** False while changes are not told at once: nothing remembered is then believed for more than a few seconds. */
  readonly isFeedLive: boolean;
  /** Requests and tunnels under way that have been admitted. */
  readonly open: number;
  /** How many of these are tunnels. */
  readonly tunnels: number;
  /** Connections of this process to agents. */
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
   * To be called when the application is about to stop: tunnels end (WebSockets with 1001), and further upgrades are
   * refused (503 `shutting_down`). Requests go on. Nest's shutdown calls this too.
   */
  drain(): void {
    this.isDraining = true;
    this.upgrades.drain();
    this.tunnels.drain();
  }

  /**
   * Ends the requests that are still under way: they are answered 503 `shutting_down`, or cut off if the answer has
   * begun.
   */
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
