import { Injectable } from '@nestjs/common';
import type { TokenPlace } from '../../platform/links/access-token.js';
import type { BegunSession } from '../../platform/links/session.repository.js';
import { SessionService } from '../../platform/links/session.service.js';
import { PortSettingsService } from '../../platform/ports/port-settings.service.js';
import { StrangerBudget } from './stranger-budget.js';
import { answerBare } from '../answers/proxy-answer.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import type { ProxyExchange } from '../exchange.js';
import { outboundPath } from '../address/outbound-path.js';
import { setSessionCookie } from '../headers/session-cookies.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import { CrossSiteRequestError } from '../errors.js';
import { corsRule, isPreflight, preflightHeaders } from './cors.js';
import { asOwnLocation, type LinkInTarget } from './link-parameter.js';

/** Said where a link's token is no good and nothing else admits. */
const LINK_REFUSAL = 'this link is not valid any more; ask for a new one';

/** What a browser does before it is admitted like any other client: it opens a link, or asks what a page may do. */
@Injectable()
export class BrowserAccess {
  constructor(
    private readonly sessions: SessionService,
    private readonly ports: PortSettingsService,
    private readonly strangers: StrangerBudget,
  ) {}

  /**
   * A link's token becomes a session: answered by a 303 to the same place without the token, so that it stands in no
   * history, Referer or log. Whatever comes of it, the token is taken out of the request before it goes any further.
   *
   * @returns true where the request has been answered; else what to say if nothing admits it
   * @throws DirectoryUnavailableError, InvalidPathError
   */
  async openLink(exchange: ProxyExchange, { token, target }: LinkInTarget): Promise<true | string> {
    const { request, upgrade } = exchange;
    const address = exchange.address as SandboxAddress;
    const given = request.url as string;
    request.url = target;
    const sandboxId = address.sandboxUuid;
    if (upgrade !== null || request.method !== 'GET' || sandboxId === null) return LINK_REFUSAL;
    const location = asOwnLocation(outboundPath(target, 'GET'));
    const session = await this.exchangeToken(exchange, token, { sandboxId, port: address.port }).catch(
      (error: unknown) => {
        // Whoever tries again, tries with the token.
        request.url = given;
        throw error;
      },
    );
    if (session === null) return LINK_REFUSAL;
    const cookie = this.cookieOf(session, exchange.isSecure);
    this.answer(exchange, 303, ['Location', location, 'Set-Cookie', cookie]);
    return true;
  }

  /**
   * Whose pages may read the answer, where the proxy says so in the app's place; a preflight is then answered here,
   * before anyone is admitted, because a browser sends no credential with it.
   *
   * @returns true where the request has been answered
   * @throws DirectoryUnavailableError, CrossSiteRequestError for a preflight of an origin that is not allowed
   */
  applyCors(exchange: ProxyExchange, origin: string): MaybePromise<boolean> {
    const { request, upgrade } = exchange;
    const address = exchange.address as SandboxAddress;
    const sandboxId = address.sandboxUuid;
    if (sandboxId === null) return false;
    const { client } = exchange;
    const found = this.ports.find(sandboxId, address.port, () => this.strangers.check(client));
    return whenReady(this.strangers.spend(client, found), (settings) => {
      const rule = corsRule(settings, origin);
      exchange.cors = rule;
      if (rule === null || upgrade !== null || !isPreflight(request)) return false;
      if (rule.allowedOrigin === null) throw new CrossSiteRequestError();
      this.answer(exchange, 204, preflightHeaders(rule.allowedOrigin, request));
      return true;
    });
  }

  private async exchangeToken(
    { client }: ProxyExchange,
    token: string,
    place: TokenPlace,
  ): Promise<BegunSession | null> {
    this.strangers.check(client);
    return this.strangers.spend(client, this.sessions.begin(token, place));
  }

  private cookieOf({ token, embed, expiresAtMs }: BegunSession, isSecure: boolean): string {
    const maxAgeSeconds = Math.max(1, Math.ceil((expiresAtMs - Date.now()) / 1_000));
    return setSessionCookie({ token, embed, isSecure, maxAgeSeconds });
  }

  private answer(exchange: ProxyExchange, status: number, headers: readonly string[]): void {
    exchange.status = status;
    answerBare(exchange.request, exchange.response, status, exchange.requestId, headers);
  }
}
