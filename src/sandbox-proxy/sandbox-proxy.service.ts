import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ProxyError } from './errors.js';
import { LOGGER } from '../program/logging/logger.js';
import { AccessLog } from './answers/access-log.js';
import { AdmissionService } from './admission/admission.service.js';
import { PublicPortScheme } from './admission/public-port.scheme.js';
import type { Admission } from './admission/credential-scheme.js';
import { Forwarding, type ForwardingOutcome } from './relay/forwarding.js';
import { holdsCredential } from './headers/field-names.js';
import { outboundHead } from './headers/outbound-request.js';
import type { ResponseHead } from './agent-client/response-parser.js';
import { type MaybePromise, whenReady } from './contracts/maybe-promise.js';
import { outboundPath } from './address/outbound-path.js';
import { answerAgentError, answerError } from './answers/proxy-answer.js';
import { BrowserAccess } from './admission/browser-access.js';
import { corsHeaders, corsRule } from './admission/cors.js';
import { linkIn } from './admission/link-parameter.js';
import { refusalOfSessionUse } from './admission/session-use.js';
import { cutError } from './open-access/cut-reason.js';
import { LiveAdmissions } from './open-access/open-access.js';
import { ProxyExchange, type SandboxRoute } from './exchange.js';
import { leaveUnread } from './node-internals/leave-unread.js';
import { framingOf, RequestBody } from './relay/request-body.js';
import type { SandboxAddress } from './address/sandbox-address.js';
import { QueuedExchanges } from './entrance/queued-exchanges.js';
import { SandboxHost } from './address/sandbox-host.js';
import { newRequestId } from './address/request-ids.js';
import { InvalidPathError, InvalidRequestError, PortDeniedError } from './errors.js';
import { SANDBOX_PROXY_OPTIONS } from './sandbox-proxy.module-definition.js';
import type { SandboxProxyOptions } from './options.js';
import { SandboxResolverService } from './routing/sandbox-resolver.service.js';
import { toBlockList } from './agent-client/agent-address.js';
import { type Peer, Peers } from './address/peer.js';
import { upgradeOfferOf } from './entrance/upgrade-offer.js';
import type { UpgradeRequest } from './relay/upgrade-request.js';
import { Tunnels } from './relay/tunnels.js';
import { HostClientPool } from './agent-client/host-client-pool.js';

/** As narrow as what the API accepts: it goes into log lines and headers. */
const REQUEST_ID = /^[\w.-]{1,64}$/;
/** An app can answer 502 as often as it likes: such an answer sends us to the database this often at most, ms. */
const SUSPICION_INTERVAL_MS = 1_000;

/** The four steps of a request, the same for both doors: parse (`claim`), then admit, resolve, forward (`serve`). */
@Injectable()
export class SandboxProxyService implements ForwardingOutcome {
  private readonly host: SandboxHost;
  private readonly peers: Peers;
  private readonly deniedPorts: ReadonlySet<number>;
  private readonly isPublicSecure: boolean;
  private readonly queued = new QueuedExchanges((exchange) => this.onClosed(exchange));
  private readonly suspectedAtMs = new LRUCache<string, number>({ max: 10_000 });

  constructor(
    private readonly admission: AdmissionService,
    private readonly resolver: SandboxResolverService,
    private readonly pool: HostClientPool,
    private readonly tunnels: Tunnels,
    private readonly accessLog: AccessLog,
    private readonly browsers: BrowserAccess,
    private readonly live: LiveAdmissions,
    private readonly publicPorts: PublicPortScheme,
    @Inject(SANDBOX_PROXY_OPTIONS) options: SandboxProxyOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.host = new SandboxHost(options.domains);
    this.peers = new Peers(toBlockList(options.trustedProxies));
    this.deniedPorts = new Set(options.deniedPorts);
    this.isPublicSecure = options.publicScheme === 'https';
  }

  /** Step 1: the sandbox that a request is for, why it is for none although it says so, or null: not ours. */
  claim(request: IncomingMessage): SandboxAddress | ProxyError | null {
    try {
      const address = this.host.addressOf(request);
      if (address !== null && request.httpVersionMajor !== 1) {
        throw new InvalidRequestError('the request is not HTTP/1.0 or HTTP/1.1');
      }
      if (address !== null && this.deniedPorts.has(address.port)) throw new PortDeniedError();
      return address;
    } catch (error) {
      if (error instanceof ProxyError) return error;
      throw error;
    }
  }

  /** Takes a claimed request to its sandbox, or answers why not. Never throws. */
  serve(
    claim: SandboxAddress | ProxyError,
    request: IncomingMessage,
    response: ServerResponse,
    upgrade: UpgradeRequest | null,
  ): void {
    const address = claim instanceof ProxyError ? null : claim;
    const peer = this.peers.of(request.socket);
    const isSecure = this.isPublicSecure || isHttps(request, peer);
    const requestId = requestIdOf(request, peer);
    const exchange = new ProxyExchange(requestId, request, response, address, peer, upgrade, isSecure);
    response.on('close', () => this.onClosed(exchange));
    if (response.socket === null) this.queued.add(exchange);
    try {
      if (claim instanceof ProxyError) throw claim;
      const route = this.routeOf(exchange, claim);
      if (route instanceof Promise) {
        route
          .then((found) => found === null || this.forward(exchange, found))
          .catch((error: Error) => this.onFailed(exchange, error));
      } else if (route !== null) {
        this.forward(exchange, route);
      }
    } catch (error) {
      this.onFailed(exchange, error as Error);
    }
  }

  onFailed(exchange: ProxyExchange, error: Error): void {
    if (!(error instanceof ProxyError)) {
      const { requestId } = exchange;
      this.logger.error({ requestId, reason: `${error.name}: ${error.message}` }, 'proxying failed');
      this.logger.debug({ requestId, stack: error.stack }, 'where it failed');
    }
    const { request, response } = exchange;
    if (response.headersSent || request.socket.destroyed) {
      exchange.errorCode ??= 'client_closed';
      return;
    }
    exchange.errorCode = answerError(request, response, error, exchange.requestId, corsOf(exchange));
    exchange.status = response.statusCode;
    exchange.failure = failureOf(error);
  }

  private onClosed(exchange: ProxyExchange): void {
    if (exchange.isClosed) return;
    exchange.isClosed = true;
    this.queued.delete(exchange);
    this.live.delete(exchange);
    exchange.forwarding?.onClientClose();
    if (exchange.status === 0) exchange.errorCode ??= 'client_closed';
    this.accessLog.record(exchange);
  }

  onRouteSuspect({ address, teamId }: ProxyExchange, isCertain: boolean): void {
    if (address === null || teamId === null) return;
    const { sandboxId } = address;
    if (!isCertain) {
      const now = performance.now();
      if (now - (this.suspectedAtMs.get(sandboxId) ?? -Infinity) < SUSPICION_INTERVAL_MS) return;
      this.suspectedAtMs.set(sandboxId, now);
    }
    this.resolver.evict(sandboxId, teamId);
  }

  onAgentError(exchange: ProxyExchange, status: number, code: string): void {
    exchange.status = status;
    const { request, response, requestId } = exchange;
    const { port } = exchange.address as SandboxAddress;
    answerAgentError(request, response, { code, status, port, requestId, request });
  }

  onUpgraded(
    exchange: ProxyExchange,
    head: ResponseHead,
    headers: string[],
    socket: Socket,
    early: Buffer,
  ): void {
    this.tunnels.open(exchange, head, headers, socket, early);
  }

  /** Steps 2 and 3; null where the request has been answered on the way. */
  private routeOf(exchange: ProxyExchange, address: SandboxAddress): MaybePromise<SandboxRoute | null> {
    const link = linkIn(exchange.request.url as string);
    if (link === null) return this.routeOfLinkless(exchange, address, null);
    return this.browsers
      .openLink(exchange, link)
      .then((outcome) => (outcome === true ? null : this.routeOfLinkless(exchange, address, outcome)));
  }

  private routeOfLinkless(
    exchange: ProxyExchange,
    address: SandboxAddress,
    refusal: string | null,
  ): MaybePromise<SandboxRoute | null> {
    const { origin } = exchange.request.headers;
    if (origin === undefined) return this.admit(exchange, address, refusal);
    return whenReady(this.browsers.applyCors(exchange, origin), (isAnswered) =>
      isAnswered ? null : this.admit(exchange, address, refusal),
    );
  }

  private admit(
    exchange: ProxyExchange,
    address: SandboxAddress,
    refusal: string | null,
  ): MaybePromise<SandboxRoute> {
    const admitted = this.admission.admit(exchange.admissionRequest(address), refusal);
    return admitted instanceof Promise
      ? admitted.then((admission) => this.resolve(exchange, address, admission))
      : this.resolve(exchange, address, admitted);
  }

  private resolve(
    exchange: ProxyExchange,
    address: SandboxAddress,
    admission: Admission,
  ): MaybePromise<SandboxRoute> {
    const { teamId, ground } = admission;
    if (ground.kind === 'session') {
      const refusal = refusalOfSessionUse(ground.session, exchange);
      if (refusal !== null) return this.resolveAsStranger(exchange, address, refusal);
    } else if (ground.kind === 'public') {
      exchange.cors ??= corsRule(ground.settings, null);
    }
    exchange.admission = admission;
    if (!exchange.isClosed) this.live.add(exchange, admission, exchange.startedAtMs);
    const hostAddress = this.resolver.resolve(address.sandboxId, teamId);
    return hostAddress instanceof Promise
      ? hostAddress.then((found) => this.routeTo(found, address, teamId))
      : this.routeTo(hostAddress, address, teamId);
  }

  /** Who has a session may do no less than who has none: a public port is open to both. */
  private resolveAsStranger(
    exchange: ProxyExchange,
    address: SandboxAddress,
    refusal: ProxyError,
  ): MaybePromise<SandboxRoute> {
    return whenReady(this.publicPorts.admit('', exchange.admissionRequest(address)), (admission) => {
      if (admission === null) throw refusal;
      return this.resolve(exchange, address, admission);
    });
  }

  private routeTo(hostAddress: string, { agentPath }: SandboxAddress, teamId: string): SandboxRoute {
    return { teamId, origin: this.pool.resolveAddress(hostAddress), prefix: agentPath };
  }

  private forward(exchange: ProxyExchange, route: SandboxRoute): void {
    const { request, peer, upgrade } = exchange;
    if (request.socket.destroyed) {
      exchange.errorCode = 'client_closed';
      return;
    }
    if (exchange.cutReason !== null) throw cutError(exchange.cutReason);
    const method = request.method as string;
    const framing = framingOf(request);
    if (framing !== 'none' && upgradeOfferOf(request) === 'with body') {
      throw new InvalidRequestError('an upgrade request has no body');
    }
    const target = route.prefix + outboundPath(request.url as string, method);
    if (holdsCredential(target))
      throw new InvalidPathError('the path or query holds a credential of the platform');
    const hasBody = upgrade === null && framing !== 'none';
    const forwardedHost = request.headers.host as string;
    const head = outboundHead({
      method,
      target,
      authority: route.origin.authority,
      rawHeaders: request.rawHeaders,
      framing: upgrade === null ? framing : 'none',
      isPeerTrusted: peer.isTrusted,
      peerAddress: peer.address,
      forwardedHost,
      forwardedProto: exchange.isSecure ? 'https' : 'http',
      requestId: exchange.requestId,
      upgrade: upgrade?.protocols ?? null,
      keepsExpect: hasBody && request.httpVersionMinor === 1,
    });
    if (upgrade === null && !hasBody) leaveUnread(request);
    const forwarding = new Forwarding(exchange, route, this);
    const address = exchange.address as SandboxAddress;
    this.host.keep(forwardedHost, address);
    const isUpgrade = upgrade !== null;
    const call = this.pool.dispatch(
      { origin: route.origin, sandboxId: address.sandboxId, method, head, hasBody, isUpgrade },
      forwarding,
    );
    forwarding.attach(call, hasBody ? new RequestBody(exchange, framing as 'length' | 'chunked') : null);
  }
}

/** Whether the client came by HTTPS, as far as the connection or a trusted proxy says. */
function isHttps({ headers }: IncomingMessage, { proto, isTrusted }: Peer): boolean {
  if (proto === 'https') return true;
  const forwarded = isTrusted ? headers['x-forwarded-proto'] : undefined;
  return forwarded !== undefined && /^\s*https\s*(,|$)/i.test(String(forwarded));
}

/** What lets the page that asked read our own answer, where it may read the app's. */
function corsOf({ cors }: ProxyExchange): readonly string[] {
  return cors === null ? [] : corsHeaders(cors);
}

/** A new id, or the one that a trusted proxy has given the request. */
function requestIdOf({ headers }: IncomingMessage, { isTrusted }: Peer): string {
  const given = isTrusted ? headers['x-request-id'] : undefined;
  return typeof given === 'string' && REQUEST_ID.test(given) && !holdsCredential(given)
    ? given
    : newRequestId();
}

/** The short name of what went wrong below an error, e.g. `ECONNREFUSED`: never a message, which may hold an address. */
function failureOf(error: Error): string | null {
  let cause: unknown = error.cause;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  if (!(cause instanceof Error)) return null;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
