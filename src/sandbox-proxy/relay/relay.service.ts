import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { outboundPath } from '../address/outbound-path.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import { HostClientPool } from '../agent-client/host-client-pool.js';
import type { ResponseHead } from '../agent-client/response-head.js';
import { answerAgentError, answerFailure } from '../answers/answer.js';
import type { Admission, FoundCredential } from '../contracts/credential-scheme.js';
import type { SandboxLocation } from '../contracts/sandbox-directory.js';
import { InvalidPathError, InvalidRequestError } from '../errors.js';
import type { Exchange } from '../exchange/exchange.js';
import { HEADER_POLICY, type HeaderPolicy } from '../headers/header-policy.js';
import { framingOf, outboundHead } from '../headers/outbound-request.js';
import type { OwnPages } from '../headers/own-pages.js';
import { upgradeOfferOf } from '../headers/upgrade-offer.js';
import { leaveUnread } from '../node-internals/leave-unread.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { SandboxResolverService } from '../routing/sandbox-resolver.service.js';
import { Forwarding, type ForwardingOutcome } from './forwarding.js';
import { RequestBody } from './request-body.js';
import { Tunnels } from './tunnels.js';

/** Step 7 of a request: bytes both ways, over connections that only this sandbox uses. */
@Injectable()
export class Relay implements ForwardingOutcome {
  constructor(
    private readonly pool: HostClientPool,
    private readonly resolver: SandboxResolverService,
    private readonly tunnels: Tunnels,
    @Inject(HEADER_POLICY) private readonly policy: HeaderPolicy,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {}

  /**
   * @param consumed the credential that admitted, also where the request goes on by a public port: it stays here
   * @throws HostUnavailableError, InvalidRequestError, InvalidPathError, SandboxBusyError
   */
  start(
    exchange: Exchange,
    address: SandboxAddress,
    admission: Admission,
    consumed: FoundCredential | null,
    location: SandboxLocation,
  ): void {
    const { request, peer, upgrade, isSecure, requestId, rules } = exchange;
    const { sandboxId, agentPath: prefix } = address;
    const { credentials } = this.policy;
    const origin = this.pool.resolveAddress(location.address);
    const method = request.method as string;
    const framing = framingOf(request);
    if (framing !== 'none' && upgradeOfferOf(request) === 'with body')
      throw new InvalidRequestError('an upgrade request must not have a body');
    const target = prefix + outboundPath(request.url as string, method);
    if (credentials.isIn(target))
      throw new InvalidPathError('the path or query holds a credential of the platform');
    const hasBody = upgrade === null && framing !== 'none';
    const { authority } = origin;
    const pages = rules?.appHost === 'external' ? null : ownPages(exchange, address, admission, this.policy);
    const head = outboundHead(
      {
        method,
        target,
        authority,
        rawHeaders: request.rawHeaders,
        framing: upgrade === null ? framing : 'none',
        isPeerTrusted: peer.isTrusted,
        peerAddress: peer.address,
        host: request.headers.host as string,
        pages,
        externalOrigin: address.origin(isSecure ? 'https' : 'http'),
        requestId,
        upgrade: upgrade?.protocols ?? null,
        keepsExpect: hasBody && request.httpVersionMinor === 1,
        consumed,
      },
      this.policy,
    );
    if (upgrade === null && !hasBody) leaveUnread(request);
    const forwarding = new Forwarding(exchange, { authority, prefix, pages }, this.policy, this);
    const isUpgrade = upgrade !== null;
    const { teamId } = admission;
    const call = this.pool.dispatch(
      { origin, sandboxId, teamId, method, head, hasBody, isUpgrade },
      forwarding,
    );
    const body = hasBody
      ? new RequestBody(exchange, call, framing as 'length' | 'chunked', credentials)
      : null;
    forwarding.attach(call, body);
  }

  onRouteSuspect({ sandboxId, teamId }: Exchange, isCertain: boolean): void {
    if (sandboxId === null || teamId === null) return;
    if (isCertain) this.resolver.evict(sandboxId, teamId);
    else this.resolver.evictSuspected(sandboxId, teamId);
  }

  onFailed(exchange: Exchange, error: Error): void {
    answerFailure(exchange, error, this.options);
  }

  onAgentError(exchange: Exchange, status: number, code: string): void {
    answerAgentError(exchange, status, code, this.options);
  }

  onUpgraded(exchange: Exchange, head: ResponseHead, headers: string[], socket: Socket, early: Buffer): void {
    this.tunnels.open(exchange, head, headers, socket, early);
  }
}

function ownPages(
  { isSecure, rules }: Exchange,
  address: SandboxAddress,
  { allowedOrigins }: Admission,
  { app }: HeaderPolicy,
): OwnPages {
  const cors = rules?.cors;
  const named = cors === undefined || cors === 'app' ? NONE : cors;
  return { address, isSecure, app, namedByPort: named, namedByLink: allowedOrigins ?? NONE };
}

const NONE: readonly string[] = [];
