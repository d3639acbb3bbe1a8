import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { setCheckingInterval } from '../node-internals/checking-interval.js';
import { declineUpgrades } from '../node-internals/decline-upgrades.js';
import { hasOtherListener, listenFirst } from '../node-internals/listen-first.js';
import { outlasts } from '../node-internals/request-timeout.js';
import { IdleClients } from '../node-internals/idle-clients.js';
import { refuseConnect } from './refuse-connect.js';
import { isClosing } from '../answers/proxy-answer.js';
import { SANDBOX_PROXY_OPTIONS } from '../sandbox-proxy.module-definition.js';
import type { SandboxProxyOptions } from '../options.js';
import { SandboxProxyMiddleware } from './sandbox-proxy.middleware.js';
import { SandboxUpgradeListener } from './upgrade.listener.js';
import { Tunnels } from '../relay/tunnels.js';
import { HostClientPool } from '../agent-client/host-client-pool.js';

/** From the first byte of a request to the end of its head, milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often Node looks for heads that take too long, milliseconds; its own default is 30 s. */
const CHECKING_INTERVAL_MS = 1_000;

/** When the kernel starts to ask a silent client whether it is still there, milliseconds. */
const TCP_KEEP_ALIVE_MS = 60_000;
/** How often connections that have become idle are closed while the server shuts down, milliseconds. */
const SWEEP_INTERVAL_MS = 100;

/**
 * Hangs both doors in front of everything that listens on the application's http.Server: CORS, body parsers,
 * gateways, the global prefix and all controllers. Nest has installed them by the time of `onModuleInit`, and
 * whatever comes later comes behind the doors as well, because they sit in the server's `emit`.
 */
@Injectable()
export class SandboxProxyDoors implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly middleware: SandboxProxyMiddleware,
    private readonly upgrades: SandboxUpgradeListener,
    private readonly tunnels: Tunnels,
    private readonly pool: HostClientPool,
    private readonly idle: IdleClients,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {}

  onModuleInit(): void {
    const server = this.adapterHost.httpAdapter.getHttpServer() as Server;
    server.requestTimeout = 0;
    server.headersTimeout = HEADERS_TIMEOUT_MS;
    server.maxHeadersCount = 0;
    setCheckingInterval(server, CHECKING_INTERVAL_MS);
    server.on('connection', (socket: Socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    this.idle.watchAll(server);
    server.on('listening', () => this.pool.refuseOwnPort((server.address() as AddressInfo).port));
    this.hang(server);
  }

  /**
   * Nest closes the server next, and waits until every connection is gone. Tunnels end now. Connections that become
   * idle later, which the server would keep for their keep-alive time, end as they do; requests that are still
   * under way after the grace period are cut.
   */
  beforeApplicationShutdown(): void {
    this.upgrades.drain();
    this.tunnels.drain();
    const server = this.adapterHost.httpAdapter.getHttpServer() as Server;
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS).unref();
    const end = setTimeout(() => {
      this.upgrades.closeAll();
      server.closeAllConnections();
    }, this.options.shutdownGraceMs).unref();
    server.once('close', () => {
      clearInterval(sweep);
      clearTimeout(end);
      this.idle.stop();
    });
  }

  private hang(server: Server): void {
    declineUpgrades(
      server,
      (request) => this.upgrades.declines(request) ?? !hasOtherListener(server, 'upgrade'),
    );
    const take = (request: IncomingMessage, response: ServerResponse) => {
      let isTaken = true;
      if (isClosing(request.socket)) return isTaken;
      this.middleware.use(request, response, () => (isTaken = false));
      return isTaken;
    };
    listenFirst(server, {
      request: take,
      checkContinue: take,
      checkExpectation: take,
      upgrade: (request, socket, head) => isClosing(socket) || this.upgrades.use(request, socket, head),
      connect: (_request, socket, head) => {
        if (isClosing(socket)) return true;
        if (hasOtherListener(server, 'connect')) return false;
        refuseConnect(socket, head);
        return true;
      },
      clientError: outlasts,
    });
  }
}
