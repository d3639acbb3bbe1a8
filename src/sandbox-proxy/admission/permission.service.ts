import { Injectable } from '@nestjs/common';
import type { Admission, AdmissionRequest } from '../contracts/credential-scheme.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { PortRules } from '../contracts/port-settings.js';
import type { Exchange } from '../exchange/exchange.js';
import { corsRule } from '../headers/cors.js';
import { PortRulesService } from './port-rules.service.js';
import { PublicPortScheme } from './public-port.scheme.js';

/** Step 4 of a request: whether it may use its admission, and whose pages may read the answer. */
@Injectable()
export class PermissionService {
  constructor(
    private readonly ports: PortRulesService,
    private readonly publicPorts: PublicPortScheme,
  ) {}

  /**
   * The admission that the request goes on with: the given one, or, if the request may not use that, the one by a public
   * port, so that a visitor with a session may do no less than one without.
   *
   * @throws CrossSiteRequestError, DirectoryUnavailableError, also as rejections
   */
  permit(exchange: Exchange, asked: AdmissionRequest, admission: Admission): MaybePromise<Admission> {
    const { origin } = asked.request.headers;
    if (origin === undefined) return this.decide(exchange, asked, admission, admission.cors);
    const rules = asked.hasValidId ? this.ports.find(asked.sandboxId, asked.port) : null;
    const corsOf = (found: PortRules | null) => (found?.teamId === admission.teamId ? found.cors : undefined);
    return whenReady(rules, (found) => this.decide(exchange, asked, admission, corsOf(found)));
  }

  private decide(
    exchange: Exchange,
    asked: AdmissionRequest,
    admission: Admission,
    cors: PortRules['cors'] | undefined,
  ): MaybePromise<Admission> {
    // This also drops the settings of another team, for a port of its own.
    exchange.cors = cors === undefined ? null : corsRule(cors, asked.request.headers.origin);
    const allowedOrigin = exchange.cors?.allowedOrigin ?? null;
    const permitted = admission.scheme.permit?.(admission, asked, allowedOrigin) ?? admission;
    if (!(permitted instanceof Error)) return permitted;
    const found = this.publicPorts.find(asked);
    const open = found === null ? null : this.publicPorts.admit(found, asked);
    const orRefuse = (publicly: Admission | null): Admission => {
      if (publicly === null) throw permitted;
      exchange.cors ??= corsRule(publicly.cors, asked.request.headers.origin);
      return publicly;
    };
    return whenReady(open, orRefuse);
  }
}
