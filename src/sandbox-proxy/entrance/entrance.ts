import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { IdleClients, KEEP_ALIVE_TIMEOUT_MS } from '../node-internals/idle-clients.js';
import { refuseConnect } from './refuse-connect.js';
import { replayWithoutUpgrade } from './replay-without-upgrade.js';
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

/** Events that Node only emits while somebody listens; without a listener it acts by itself. */
const LISTENED_EVENTS = ['checkContinue', 'checkExpectation', 'upgrade', 'connect'] as const;
const listening = (): void => undefined;

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
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    server.maxHeadersCount = 0;
    Object.assign(server, { connectionsCheckingInterval: CHECKING_INTERVAL_MS });
    server.on('connection', (socket: Socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    server.on(acceptEvent(server), (socket: Socket) => this.idle.watch(socket));
    server.on('listening', () => this.pool.refuseOwnPort((server.address() as AddressInfo).port));
    for (const event of LISTENED_EVENTS) server.on(event, listening);
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
    });
  }

  private hang(server: Server): void {
    const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
    const others = (event: string) => server.listenerCount(event) > 1;
    const accept = (socket: Socket) => {
      emit(acceptEvent(server), socket);
    };
    const doors: Readonly<Record<string, (...args: never[]) => void>> = {
      request: (request: IncomingMessage, response: ServerResponse) => {
        this.middleware.use(request, response, () => emit('request', request, response));
      },
      checkContinue: (request: IncomingMessage, response: ServerResponse) => {
        this.middleware.use(request, response, () => {
          if (others('checkContinue')) return emit('checkContinue', request, response);
          response.writeContinue();
          return emit('request', request, response);
        });
      },
      checkExpectation: (request: IncomingMessage, response: ServerResponse) => {
        this.middleware.use(request, response, () => {
          if (others('checkExpectation')) return emit('checkExpectation', request, response);
          return response.writeHead(417).end();
        });
      },
      upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => {
        this.upgrades.use(request, socket, head, accept, () => {
          if (others('upgrade')) emit('upgrade', request, socket, head);
          else replayWithoutUpgrade(request, socket, head, accept);
        });
      },
      connect: (request: IncomingMessage, socket: Socket, head: Buffer) => {
        if (others('connect')) emit('connect', request, socket, head);
        else refuseConnect(socket, head);
      },
    };
    const takeRequest = doors['request'] as (...args: unknown[]) => void;
    server.emit = (event: string, ...args: unknown[]) => {
      if (event === 'request' && !isClosing((args[0] as IncomingMessage).socket)) {
        takeRequest(args[0], args[1]);
        return true;
      }
      const door = doors[event];
      if (door === undefined) return emit(event, ...args);
      if (isClosing((args[0] as IncomingMessage).socket)) return true;
      door(...(args as never[]));
      return true;
    };
  }
}

/** What the server emits for a connection over which requests may come. */
function acceptEvent(server: Server): string {
  return server instanceof TlsServer ? 'secureConnection' : 'connection';
}
