import { type IncomingMessage, Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import { isClosing } from '../answers/answer.js';
import { declineUpgrades } from '../node-internals/decline-upgrades.js';
import { hasOtherListener, listenFirst } from '../node-internals/listen-first.js';
import { outlasts } from '../node-internals/request-timeout.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { secondServersOf } from './fastify-servers.js';
import { answerHalfClosed } from './half-closed.js';
import { LastAnswers } from './last-answers.js';
import { enterPipeline, lastOn, leavePipeline } from './pipeline.js';
import { isProtected } from './protect-listener.js';
import { refuseConnect } from './refuse-connect.js';
import { SandboxProxy } from './sandbox-proxy.service.js';
import { SandboxProxyMiddleware } from './sandbox-proxy.middleware.js';
import { SandboxUpgradeListener } from './upgrade.listener.js';

/**
 * Puts the proxy in front of everything that listens on the application's http.Server: CORS, body parsers, gateways,
 * the global prefix and all controllers. Nest has installed them by the time of `onModuleInit`, and whatever is added
 * later comes after the proxy too.
 */
@Injectable()
export class Entrance implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly middleware: SandboxProxyMiddleware,
    private readonly upgrades: SandboxUpgradeListener,
    private readonly proxy: SandboxProxy,
    private readonly lastAnswers: LastAnswers,
    private readonly pool: HostClientPool,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {}

  /** @throws TypeError where the application's server speaks HTTP/2 */
  onModuleInit(): void {
    // A context without an HTTP server has nothing to put it in front of.
    const { httpAdapter } = this.adapterHost ?? {};
    const server: unknown = httpAdapter?.getHttpServer?.();
    if (httpAdapter === undefined || httpAdapter === null || server === undefined || server === null) return;
    this.guard(server);
    if (httpAdapter.getType() === 'fastify')
      secondServersOf(httpAdapter.getInstance(), (second) => this.guard(second));
  }

  /**
   * Nest closes the server next, and waits until every connection is gone. So tunnels end from now on, and requests after
   * the grace.
   */
  beforeApplicationShutdown(): void {
    void this.proxy.drain();
    setTimeout(() => {
      this.proxy.cutAll();
      this.upgrades.closeAll();
    }, this.options.shutdownGraceMs).unref();
  }

  private guard(server: unknown): void {
    if (!isHttp1(server))
      throw new TypeError('SandboxProxyModule needs an HTTP/1.1 server: HTTP/2 is not supported');
    this.lastAnswers.watch(server);
    server.on('listening', () => this.pool.refuseOwnPort((server.address() as AddressInfo).port));
    declineUpgrades(
      server,
      (request) => this.upgrades.declines(request) ?? !hasOtherListener(server, 'upgrade'),
      isClosing,
    );
    // As it is before `listenFirst`: whoever is called by it has been asked about already.
    const emit = server.emit.bind(server);
    const take = (request: IncomingMessage, response: ServerResponse, mayWait = false): boolean => {
      if (isClosing(request.socket)) return true;
      if (this.lastAnswers.hasBegun) this.lastAnswers.note(response);
      let isOurs = true;
      this.middleware.use(request, response, () => {
        isOurs = false;
      });
      if (isOurs || isProtected(server)) answerHalfClosed(server, request.socket);
      if (isOurs || !isProtected(server)) return isOurs;
      const earlier = lastOn(request.socket);
      if (!enters(request, response)) return true;
      if (!mayWait || earlier === null) return false;
      earlier.once('close', () => {
        // It may have been the last answer of its connection.
        if (request.socket.writable) emit('request', request, response);
      });
      return true;
    };
    listenFirst(server, {
      request: (request, response) => take(request, response, true),
      // A client that waits to be told to go on must not wait for an answer too.
      checkContinue: (request, response) => take(request, response),
      checkExpectation: (request, response) => take(request, response),
      upgrade: (request, socket, head) => isClosing(socket) || this.upgrades.use(request, socket, head),
      connect: (request, socket, head) => {
        if (isClosing(socket)) return true;
        if (
          this.middleware.placeOf(request) === null &&
          !(isProtected(server) && !hasOtherListener(server, 'connect'))
        )
          return false;
        refuseConnect(socket, head);
        return true;
      },
      clientError: outlasts,
    });
  }
}

/**
 * On a protected listener, requests of the application count like those to sandboxes, and those of one connection are begun
 * one after the other: the answer of a later one could not be sent, but only held.
 */
function enters({ socket }: IncomingMessage, response: ServerResponse): boolean {
  if (!enterPipeline(socket, response)) return false;
  response.once('close', () => leavePipeline(socket));
  return true;
}

/** An `https.Server` is not an `http.Server`, but has its methods; an HTTP/2 server has not. */
function isHttp1(server: unknown): server is Server {
  return (
    server instanceof Server ||
    (typeof server === 'object' && server !== null && 'closeIdleConnections' in server)
  );
}
