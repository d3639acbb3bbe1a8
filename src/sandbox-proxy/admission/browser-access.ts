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

/** What came of step 2. */
export type Visit =
  /** The request has been answered. */
  | 'answered'
  /** It goes on to be admitted; the text is what it is told if nothing admits it. */
  | { readonly refusal: string | null };

const GOES_ON: Visit = { refusal: null };
/** Of a link's token that is no good, where nothing else admits either. */
const LINK_REFUSED: Visit = { refusal: 'this link is not valid any more; ask for a new one' };

/** Step 2 of a request: what a browser does before it is admitted like any other client: it opens a link, or asks what a page may do. */
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
   * A link's token becomes a session: answered by a 303 to the same place without the token, so that it stands in no
   * history, Referer or log. Whatever comes of it, the token is taken out of the request before it goes any further.
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
      // Whoever tries again, tries with the token.
      request.url = given;
      throw error;
    });
    if (session === null) return LINK_REFUSED;
    answerBare(exchange, 303, ['Location', location, 'Set-Cookie', cookieOf(session, exchange.isSecure)]);
    return 'answered';
  }

  /**
   * Where the proxy says in the app's place whose pages may read it, they may read its own answers as well; a preflight is
   * answered here, because a browser sends no credential with it.
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

  /** Null also for a stranger who has asked too much, unless nothing but the answer can help: who else it is comes out later. */
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
