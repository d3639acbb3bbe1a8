import { Injectable } from '@nestjs/common';
import type { SandboxAddress } from '../address/sandbox-address.js';
import { outboundPath } from '../address/outbound-path.js';
import { answerBare } from '../answers/answer.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import type { BegunSession } from '../contracts/session-store.js';
import type { PortRules } from '../contracts/port-settings.js';
import { CrossSiteRequestError, TooManyLookupsError } from '../errors.js';
import type { Exchange } from '../exchange/exchange.js';
import { corsRule, isPreflight, preflightHeaders } from '../headers/cors.js';
import { asOwnLocation, type LinkInTarget, linkIn } from './link-parameter.js';
import { PortRulesService } from './port-rules.service.js';
import { setSessionCookie } from './session-cookie.js';
import { SessionsService } from './sessions.service.js';

/** The result of step 2. */
export type Visit =
  /** The request has been answered. */
  | 'answered'
  /** The request goes on. `refusal` is what it is told if nothing admits it; null: whatever step 3 says. */
  | { readonly refusal: string | null };

const GOES_ON: Visit = { refusal: null };
/** The link's token is not good, but something else may still admit. */
const LINK_REFUSED: Visit = { refusal: 'this link is not valid any more; ask for a new one' };

/**
 * Step 2 of a request: exchanges a link for a session, answers preflights, and finds out which pages may read the
 * answer.
 */
@Injectable()
export class BrowserAccess {
  constructor(
    private readonly sessions: SessionsService,
    private readonly ports: PortRulesService,
  ) {}

  /** @throws DirectoryUnavailableError, TooManyLookupsError, InvalidPathError, CrossSiteRequestError, also as rejections */
  visit(exchange: Exchange, address: SandboxAddress): MaybePromise<Visit> {
    const { request } = exchange;
    const target = request.url as string;
    const link = target.includes('?') ? linkIn(target) : null;
    if (link !== null) return this.openLink(exchange, address, link);
    if (request.headers.origin === undefined || !address.hasValidId) return GOES_ON;
    const rules = this.rulesOf(exchange, address);
    return rules instanceof Promise
      ? rules.then((found) => this.applyCors(exchange, found))
      : this.applyCors(exchange, rules);
  }

  /**
   * Exchanges a link's token for a session. The answer is a 303 to the same place without the token, so that it is in no
   * history, Referer or log. If the exchange fails, the request goes on without the token.
   */
  private async openLink(
    exchange: Exchange,
    { sandboxId, port, hasValidId }: SandboxAddress,
    { token, target }: LinkInTarget,
  ): Promise<Visit> {
    const { request, isUpgrade, client } = exchange;
    const given = request.url as string;
    request.url = target;
    if (isUpgrade || request.method !== 'GET' || !hasValidId) return LINK_REFUSED;
    const location = asOwnLocation(outboundPath(target, 'GET'));
    const session = await this.sessions.begin(token, { sandboxId, port }, client).catch((error: unknown) => {
      // The page of the error tries again with the URL, which must then have the token.
      request.url = given;
      throw error;
    });
    if (session === null) return LINK_REFUSED;
    answerBare(exchange, 303, ['Location', location, 'Set-Cookie', cookieOf(session, exchange.isSecure)]);
    return 'answered';
  }

  /**
   * Notes which pages may read the answer, if the proxy decides that: they may then read the proxy's own answers too.
   * Answers a preflight, since browsers send no credential with it.
   */
  private applyCors(exchange: Exchange, rules: PortRules | null): Visit {
    const { request } = exchange;
    const rule = corsRule(rules?.cors, request.headers.origin);
    exchange.cors = rule;
    if (rule === null || exchange.isUpgrade || !isPreflight(request)) return GOES_ON;
    if (rule.allowedOrigin === null) throw new CrossSiteRequestError();
    answerBare(exchange, 204, preflightHeaders(rule.allowedOrigin, request));
    return 'answered';
  }

  /**
   * Also null for a stranger whose budget is used up: a credential may still admit the request. Only a preflight, which
   * never has one, is refused.
   */
  private rulesOf(exchange: Exchange, { sandboxId, port }: SandboxAddress): MaybePromise<PortRules | null> {
    try {
      return this.ports.findForStranger(sandboxId, port, exchange.client);
    } catch (error) {
      if (error instanceof TooManyLookupsError && !isPreflight(exchange.request)) return null;
      throw error;
    }
  }
}

function cookieOf({ token, embed, expiresAtMs }: BegunSession, isSecure: boolean): string {
  const maxAgeSeconds = Math.max(1, Math.ceil((expiresAtMs - Date.now()) / 1_000));
  return setSessionCookie({ token, embed, isSecure, maxAgeSeconds });
}
