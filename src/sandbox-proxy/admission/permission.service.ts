import { Injectable } from '@nestjs/common';
import type { Admission, AdmissionRequest } from '../contracts/credential-scheme.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { PortRules } from '../contracts/port-settings.js';
import type { Exchange } from '../exchange/exchange.js';
import { corsRule } from '../headers/cors.js';
import { PortRulesService } from './port-rules.service.js';
import { PublicPortScheme } from './public-port.scheme.js';

/** Step 4 of a request: whether it may use its admission, and what its team has set for the port. */
@Injectable()
export class PermissionService {
  constructor(
    private readonly ports: PortRulesService,
    private readonly publicPorts: PublicPortScheme,
  ) {}

  /**
   * The admission that the request goes on with: the given one, or, if the request may not use that, or it is another team's,
   * the one by a public port, so that a visitor with a credential may do no less than one without.
   *
   * @throws CrossSiteRequestError, DirectoryUnavailableError, also as rejections
   */
  permit(exchange: Exchange, asked: AdmissionRequest, admission: Admission): MaybePromise<Admission> {
    const rules = asked.hasValidId ? this.ports.find(asked.sandboxId, asked.port, admission.teamId) : null;
    return rules instanceof Promise
      ? rules.then((found) => this.decide(exchange, asked, admission, found))
      : this.decide(exchange, asked, admission, rules);
  }

  private decide(
    exchange: Exchange,
    asked: AdmissionRequest,
    admission: Admission,
    found: PortRules | null,
  ): MaybePromise<Admission> {
    noteRules(exchange, asked, admission, found);
    const allowedOrigin = exchange.cors?.allowedOrigin ?? null;
    const permitted = admission.scheme.permit?.(admission, asked, allowedOrigin) ?? admission;
    const isOfOthers = found?.visibility === 'public' && found.teamId !== admission.teamId;
    if (!(permitted instanceof Error) && !isOfOthers) {
      const { cors } = exchange;
      const { pageOfPort } = asked;
      // A list of the team's says nothing of its sandbox's own ports: the link does.
      if (cors !== null && pageOfPort !== null && permitted.namedPorts?.includes(pageOfPort) === true)
        exchange.cors = { allowedOrigin: asked.request.headers.origin as string };
      return permitted;
    }
    const nobody = this.publicPorts.find(asked);
    const open = nobody === null ? null : this.publicPorts.admit(nobody, asked);
    return whenReady(open, (publicly): Admission => {
      if (publicly !== null) noteRules(exchange, asked, publicly, found);
      else if (permitted instanceof Error) throw permitted;
      return publicly ?? (permitted as Admission);
    });
  }
}

/** Another team's settings are for a port of its own, and do not count. */
function noteRules(
  exchange: Exchange,
  { request }: AdmissionRequest,
  { teamId }: Admission,
  found: PortRules | null,
): void {
  const rules = found?.teamId === teamId ? found : null;
  exchange.rules = rules;
  exchange.cors = rules === null ? null : corsRule(rules.cors, request.headers.origin);
}
