import { Inject, Injectable } from '@nestjs/common';
import type { SandboxAddress } from '../address/sandbox-address.js';
import { outboundPath } from '../address/outbound-path.js';
import { answerBare, answerConfirmation, answerOpening } from '../answers/answer.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { BegunSession, EndedSession, Session } from '../contracts/session-store.js';
import type { PortRules } from '../contracts/port-settings.js';
import { CrossSiteRequestError, SessionEndedError, TooManyLookupsError } from '../errors.js';
import type { Exchange } from '../exchange/exchange.js';
import { corsHeaders, corsRule, isPreflight, preflightHeaders } from '../headers/cors.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from '../options.js';
import { asOwnLocation, LINK_PARAMETER, type LinkInTarget, linkIn } from '../address/link-parameter.js';
import { hopsOver, nextOnWay, readWay } from './link-way.js';
import { PortRulesService } from './port-rules.service.js';
import { cookieLinesIn, sessionTokensIn, setSessionCookie } from './session-cookie.js';
import { isOfOwnPage } from './session-use.js';
import { isEnded, SessionsService } from './sessions.service.js';

/** The result of step 2. */
export type Visit =
  /** The request has been answered. */
  | 'answered'
  /** The request goes on. `refusal` is what it is told if nothing admits it; null: whatever step 3 says. */
  | { readonly refusal: string | TooManyLookupsError | SessionEndedError | null };

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
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: Pick<SandboxProxyOptions, 'brand'>,
  ) {}

  /** @throws DirectoryUnavailableError, InvalidPathError, CrossSiteRequestError, also as rejections */
  visit(exchange: Exchange, address: SandboxAddress): MaybePromise<Visit> {
    const { request } = exchange;
    const target = request.url as string;
    const link = target.includes('?') ? linkIn(target) : null;
    if (link !== null) return this.openLink(exchange, address, link);
    if (request.headers.origin === undefined || !address.hasValidId) return GOES_ON;
    // The page of this very port: CORS is for others.
    if (exchange.pageOfPort(address) === address.port) return GOES_ON;
    return whenReady(this.rulesOf(exchange, address), (rules) => this.applyCors(exchange, address, rules));
  }

  /**
   * Exchanges a link's token for a session. The answer is a 303 to the same place without the token, so that it is in no
   * history, Referer or log. If the exchange fails, the request goes on without the token.
   */
  private async openLink(
    exchange: Exchange,
    address: SandboxAddress,
    { token: given, target }: LinkInTarget,
  ): Promise<Visit> {
    const { request, client } = exchange;
    const { token, hops } = readWay(given);
    const url = request.url as string;
    request.url = target;
    if (!address.hasValidId || !this.isVisit(exchange, token)) return LINK_REFUSED;
    const location = asOwnLocation(outboundPath(target, 'GET'));
    try {
      if (await this.hasSessionBy(token, exchange, address)) {
        answerBare(exchange, 303, ['Location', location]);
        return 'answered';
      }
      const isConfirmed = request.method === 'POST';
      const { sandboxId, port } = address;
      const session = await this.sessions.begin(token, { sandboxId, port }, client, isConfirmed);
      if (session === null) return LINK_REFUSED;
      if (isEnded(session)) return { refusal: new SessionEndedError(session.ended, 'link', session.embed) };
      if (session === 'confirm') answerConfirmation(exchange, this.options.brand);
      else this.begin(exchange, address, session, hops, location);
      return 'answered';
    } catch (error) {
      // Too many made-up links have come from the client's network. Something else may still admit.
      if (error instanceof TooManyLookupsError) return { refusal: error };
      // The page of the error tries again with the URL, which must then have the token.
      request.url = url;
      throw error;
    }
  }

  /**
   * Gives the browser its session, and leads it to the other ports of the link, if there are any. Where each port is a site of
   * its own, a cookie that was set on the way of redirects would not be sent from a page of another port: so a browser, which
   * alone knows what is one site, gets a page that fetches the exchange at each port. Other clients get redirects.
   *
   * @param hops what is left of the way, as in `LinkWay`
   * @param location the path at which the way ends
   */
  private begin(
    exchange: Exchange,
    address: SandboxAddress,
    session: BegunSession,
    hops: readonly string[],
    location: string,
  ): void {
    const { request, isSecure } = exchange;
    const { origin, 'sec-fetch-mode': mode, 'sec-fetch-site': site } = request.headers;
    const scheme = isSecure ? 'https' : 'http';
    const isFetched = origin !== undefined && mode === 'cors' && exchange.pageOfPort(address) !== null;
    const cookie = ['Set-Cookie', cookieOf(session, isSecure, isFetched && site === 'cross-site')];
    const others = session.others ?? [];
    if (isFetched) return answerBare(exchange, 204, [...cookie, ...corsHeaders({ allowedOrigin: origin })]);
    if (others.length > 0 && mode === 'navigate') {
      const exchanges = others.map(
        ({ port, token }) => `${address.originAt(port, scheme)}/?${LINK_PARAMETER}=${token}`,
      );
      return answerOpening(exchange, this.options.brand, cookie, { exchanges, location });
    }
    const way = others.length > 0 ? hopsOver(others, address.port) : hops;
    answerBare(exchange, 303, ['Location', nextOnWay(way, location, address, scheme) ?? location, ...cookie]);
  }

  /**
   * Whether a link is being opened: by a GET, or by the POST of the page that asks to confirm it.
   *
   * @throws CrossSiteRequestError when a page of another origin posts the token, which would use the link up
   */
  private isVisit(exchange: Exchange, token: string): boolean {
    const { request, isUpgrade } = exchange;
    if (isUpgrade || !this.sessions.hasForm(token)) return false;
    if (request.method === 'GET') return true;
    if (request.method !== 'POST' || request.headers.origin === undefined) return false;
    if (!isOfOwnPage(exchange)) throw new CrossSiteRequestError();
    return true;
  }

  /** Whether the browser already has a good session by this very link, and so needs no other. */
  private async hasSessionBy(token: string, exchange: Exchange, address: SandboxAddress): Promise<boolean> {
    const { request, isSecure } = exchange;
    for (const cookie of sessionTokensIn(cookieLinesIn(request.rawHeaders), isSecure)) {
      const session = await this.sessionOf(cookie, exchange, address);
      if (session !== null && !isEnded(session) && this.sessions.isBegunBy(token, session)) return true;
    }
    return false;
  }

  /** Also null for a stranger whose budget is used up: the link may still be good. */
  private async sessionOf(
    cookie: string,
    { client }: Exchange,
    address: SandboxAddress,
  ): Promise<Session | EndedSession | null> {
    try {
      return await this.sessions.find(cookie, address, client);
    } catch (error) {
      if (error instanceof TooManyLookupsError) return null;
      throw error;
    }
  }

  /**
   * Notes which pages may read the answer, if the proxy decides that: they may then read the proxy's own answers too.
   * Answers a preflight, since browsers send no credential with it. For pages of other origins, a private port looks like
   * one that does not exist.
   */
  private applyCors(exchange: Exchange, address: SandboxAddress, rules: PortRules | null): Visit {
    const { request } = exchange;
    const port = exchange.pageOfPort(address);
    // Whether anything is there or not: the request itself is admitted only by a link for both ports.
    if (port !== null && port !== address.port && rules?.visibility !== 'public' && isAsked(exchange)) {
      answerBare(exchange, 204, preflightHeaders(request.headers.origin as string, request));
      return 'answered';
    }
    if (rules === null) return GOES_ON;
    const rule = corsRule(rules.cors, request.headers.origin);
    if (rule === null || (rule.allowedOrigin === null && rules.visibility !== 'public')) return GOES_ON;
    exchange.cors = rule;
    if (!isAsked(exchange)) return GOES_ON;
    if (rule.allowedOrigin === null) throw new CrossSiteRequestError();
    answerBare(exchange, 204, preflightHeaders(rule.allowedOrigin, request));
    return 'answered';
  }

  /** Also null for a stranger whose budget is used up: a credential may still admit the request. */
  private rulesOf(exchange: Exchange, { sandboxId, port }: SandboxAddress): MaybePromise<PortRules | null> {
    try {
      return this.ports.findForStranger(sandboxId, port, exchange.client);
    } catch (error) {
      if (error instanceof TooManyLookupsError) return null;
      throw error;
    }
  }
}

/**
 * How long a browser keeps the cookie, seconds: beyond the session's end, so that its visitor can be told of that, and so
 * that the session can be prolonged without another cookie, which would have to go into an app's answer.
 */
const COOKIE_SECONDS = 30 * 86_400;

/** @param isOfOtherSite true where a page of another site to the browser, though of the same sandbox, fetches it */
function cookieOf(
  { token, embed, expiresAtMs }: BegunSession,
  isSecure: boolean,
  isOfOtherSite: boolean,
): string {
  const maxAgeSeconds = Math.max(COOKIE_SECONDS, Math.ceil((expiresAtMs - Date.now()) / 1_000));
  return setSessionCookie({ token, embed, isSecure, isOfOtherSite, maxAgeSeconds });
}

/** True for a preflight. */
function isAsked({ isUpgrade, request }: Exchange): boolean {
  return !isUpgrade && isPreflight(request);
}
