import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { HostHeaders } from '../address/host-header.js';
import { Peers } from '../address/peer.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import { hasUnreadBody, makeLast } from '../answers/answer.js';
import { AccessLog } from '../contracts/access-log.js';
import { InvalidRequestError, PortDeniedError, ProxyError } from '../errors.js';
import { Exchange, recordIn } from '../exchange/exchange.js';
import { requestIdOf } from '../exchange/request-ids.js';
import type { UpgradeRequest } from '../exchange/upgrade-request.js';
import { RequestHandler } from '../handle-request.js';
import { HEADER_POLICY, type HeaderPolicy } from '../headers/header-policy.js';
import { upgradeOfferOf } from '../headers/upgrade-offer.js';
import { liftIdleTimeout } from '../node-internals/idle-timeout.js';
import { liftRequestTimeout } from '../node-internals/request-timeout.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { enterPipeline, leavePipeline } from './pipeline.js';
import { QueuedExchanges } from './queued-exchanges.js';
import { slowTinyPieces } from './tiny-pieces.js';

/**
 * Takes the requests whose Host header names a sandbox, and leaves the others alone. It comes before Express or Fastify and
 * needs neither: the request is still as it came.
 */
@Injectable()
export class SandboxProxyMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  private readonly deniedPorts: ReadonlySet<number>;
  private readonly queued = new QueuedExchanges((exchange) => this.onClosed(exchange));

  constructor(
    private readonly hosts: HostHeaders,
    private readonly peers: Peers,
    private readonly handler: RequestHandler,
    private readonly accessLog: AccessLog,
    @Inject(HEADER_POLICY) private readonly policy: HeaderPolicy,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {
    this.deniedPorts = new Set(options.deniedPorts);
  }

  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const place = this.placeOf(request);
    if (place === null) next();
    else this.take(request, response, place, null);
  }

  /** Step 1: the sandbox that the request is for; an error if the Host header is ours but wrong; null: not ours. */
  placeOf(request: IncomingMessage): SandboxAddress | ProxyError | null {
    try {
      const address = this.hosts.addressOf(request);
      if (address === null) return null;
      if (request.httpVersionMajor !== 1)
        throw new InvalidRequestError('the request is not HTTP/1.0 or HTTP/1.1');
      if (this.deniedPorts.has(address.port)) throw new PortDeniedError();
      return address;
    } catch (error) {
      if (error instanceof ProxyError) return error;
      throw error;
    }
  }

  /** Takes a request to its sandbox, or answers why not. Never throws. */
  take(
    request: IncomingMessage,
    response: ServerResponse,
    place: SandboxAddress | ProxyError,
    upgrade: UpgradeRequest | null,
  ): void {
    if (upgrade === null && !enterPipeline(request.socket, response)) return;
    const peer = this.peers.of(request.socket);
    const isSecure = this.options.publicScheme === 'https' || this.peers.isHttps(request, peer);
    const requestId = requestIdOf(request, peer.isTrusted, this.options, this.policy.credentials);
    const address = place instanceof ProxyError ? null : place;
    const client = this.peers.clientOf(request, peer);
    const exchange = new Exchange(requestId, request, response, address, peer, client, upgrade, isSecure);
    response.on('close', () => this.onClosed(exchange));
    if (exchange.isQueued) this.queued.add(exchange);
    if (upgrade === null) liftIdleTimeout(response);
    // It will be refused. What the client sends next may be meant for the other protocol, and must not be a request.
    if (request.headers.upgrade !== undefined && upgradeOfferOf(request) === 'with body')
      makeLast(request, response);
    if (hasUnreadBody(request)) {
      liftRequestTimeout(request);
      slowTinyPieces(request.socket);
    }
    if (place instanceof ProxyError) this.handler.refuse(exchange, place);
    else this.handler.handle(exchange, place);
  }

  private onClosed(exchange: Exchange): void {
    if (exchange.isClosed) return;
    exchange.isClosed = true;
    if (exchange.isQueued) this.queued.delete(exchange);
    if (exchange.upgrade === null) leavePipeline(exchange.request.socket);
    const { group } = exchange;
    // If the request has become a tunnel, the tunnel has taken its place in the group.
    group?.delete(exchange);
    exchange.relay?.onClientClose();
    if (exchange.status === 0) exchange.errorCode ??= 'client_closed';
    recordIn(this.accessLog, exchange);
  }
}
