import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { ChangeFeed } from '../contracts/change-feed.js';
import { serverStops } from '../exchange/cut.js';
import { OpenAccess } from '../open-access/open-access.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { Tunnels } from '../relay/tunnels.js';
import { LastAnswers } from './last-answers.js';
import { SandboxUpgradeListener } from './upgrade.listener.js';

/** Tunnels end one after the other over this time, so that their clients do not all come back at once, ms. */
const ENDING_MS = 2_000;

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
    private readonly lastAnswers: LastAnswers,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {}

  /**
   * To be called when the application is about to stop; Nest's shutdown does so too. From now on every answer of the server
   * says `Connection: close`, and the connection ends with it. After `delayMs`, in which load balancers can notice that this
   * process is going, tunnels end over 2 s (WebSockets with 1012), and further upgrades are refused (503 `shutting_down`).
   * Requests go on.
   *
   * @returns when the delay is over
   */
  async drain(delayMs = 0): Promise<void> {
    this.isDraining = true;
    this.lastAnswers.begin();
    if (delayMs > 0) await sleep(delayMs);
    this.upgrades.drain();
    // what is still open when the grace is over is cut without a word
    this.tunnels.drain(Math.min(ENDING_MS, this.options.shutdownGraceMs / 2));
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
