import { Inject, Injectable } from '@nestjs/common';
import { HostHeaders } from './address/host-header.js';
import { noteAdmitted } from './address/peer.js';
import type { SandboxAddress } from './address/sandbox-address.js';
import { AdmissionService } from './admission/admission.service.js';
import { BrowserAccess, type Visit } from './admission/browser-access.js';
import { PermissionService } from './admission/permission.service.js';
import { PublicPortScheme } from './admission/public-port.scheme.js';
import { answerFailure } from './answers/answer.js';
import type { Admission } from './contracts/credential-scheme.js';
import type { SandboxLocation } from './contracts/sandbox-directory.js';
import { InvalidSandboxIdError, SandboxNotRunningError } from './errors.js';
import type { Exchange } from './exchange/exchange.js';
import { SandboxChanges } from './open-access/sandbox-changes.service.js';
import { SANDBOX_PROXY_OPTIONS, type SandboxProxyOptions } from './options.js';
import { Relay } from './relay/relay.service.js';
import { placeOf } from './routing/routes.js';
import { SandboxResolverService } from './routing/sandbox-resolver.service.js';
import { SandboxIds } from './contracts/sandbox-ids.js';

/** The results of earlier steps, for a request that had to wait for a later one. */
interface Known {
  readonly visit?: Visit;
  readonly admission?: Admission;
  readonly permitted?: Admission;
  readonly location?: SandboxLocation;
  /** Set once the stores have been asked again, because something changed after the request had begun. */
  readonly settled?: true;
}

const NOTHING: Known = {};

/**
 * The way of a request to a sandbox, for plain requests and upgrades alike. The entrance has taken step 1, reading the Host
 * header (`entrance/sandbox-proxy.middleware.ts`). Each step's result is the next step's argument. A step that memory
 * cannot answer returns a promise; when that is fulfilled, `handle` is called again with all that is known by then, and
 * goes on at that step.
 */
@Injectable()
export class RequestHandler {
  constructor(
    private readonly hosts: HostHeaders,
    private readonly ids: SandboxIds,
    private readonly browsers: BrowserAccess,
    private readonly admissions: AdmissionService,
    private readonly permissions: PermissionService,
    private readonly changes: SandboxChanges,
    private readonly resolver: SandboxResolverService,
    private readonly relay: Relay,
    @Inject(SANDBOX_PROXY_OPTIONS) private readonly options: SandboxProxyOptions,
  ) {}

  /** Takes the request to its sandbox, or answers why not. Never throws. */
  handle(exchange: Exchange, address: SandboxAddress, known: Known = NOTHING): void {
    try {
      if (exchange.wasCut !== null) throw exchange.wasCut.error;
      // 2 browser: exchange a link for a session, answer a preflight
      const visit = known.visit ?? this.browsers.visit(exchange, address);
      if (visit instanceof Promise) return void this.waitFor(visit, 'visit', exchange, address, known);
      if (visit === 'answered') return;

      // 3 admit: from a credential to a team
      const asked = exchange.askedOf(address);
      const admission = known.admission ?? this.admissions.admit(asked, visit.refusal);
      if (admission instanceof Promise)
        return void this.waitFor(admission, 'admission', exchange, address, { ...known, visit });

      // 4 permit: may this request use that admission
      const permitted = known.permitted ?? this.permissions.permit(exchange, asked, admission);
      if (permitted instanceof Promise)
        return void this.waitFor(permitted, 'permitted', exchange, address, { ...known, visit, admission });
      if (exchange.teamId === null) this.open(exchange, address, permitted);

      // 5 locate: which host runs the sandbox (step 6, waking it, is not built yet)
      const { teamId } = permitted;
      if (!address.hasValidId) throw new InvalidSandboxIdError(this.ids.description);
      const location = known.location ?? this.resolver.resolve(address.sandboxId, teamId);
      if (location instanceof Promise)
        return void this.waitFor(location, 'location', exchange, address, {
          ...known,
          visit,
          admission,
          permitted,
        });
      if (location.status !== 'running') throw new SandboxNotRunningError(location.status);
      exchange.openAt = placeOf(location);

      // A change told since the request began may have made any of these answers wrong.
      const recheck = known.settled ?? this.changes.recheckIfChanged(exchange, exchange.startedAtMs);
      if (recheck instanceof Promise)
        return void this.waitFor(recheck, 'settled', exchange, address, {
          visit,
          admission,
          permitted,
          location,
        });

      // 7 relay: bytes both ways
      this.relay.start(exchange, address, permitted, admission.scheme.find(asked), location);
      this.hosts.keep(exchange.request.headers.host as string, address);
    } catch (error) {
      this.refuse(exchange, error);
    }
  }

  /** Answers a request whose Host header is wrong, or that failed at one of the steps. */
  refuse(exchange: Exchange, error: unknown): void {
    const { wasCut } = exchange;
    answerFailure(exchange, wasCut === null ? error : wasCut.error, this.options);
    if (wasCut !== null) exchange.errorCode = wasCut.logCode;
  }

  private open(exchange: Exchange, { sandboxId }: SandboxAddress, admission: Admission): void {
    exchange.mayBeFramed = admission.mayBeFramed === true;
    exchange.teamId = admission.teamId;
    if (!(admission.scheme instanceof PublicPortScheme)) noteAdmitted(exchange.request.socket);
    if (!exchange.isClosed) this.changes.opened(exchange, admission, sandboxId);
  }

  private async waitFor(
    result: Promise<Known[keyof Known]>,
    step: keyof Known,
    exchange: Exchange,
    address: SandboxAddress,
    known: Known,
  ): Promise<void> {
    try {
      const found = await result;
      if (exchange.request.socket.destroyed) exchange.errorCode ??= 'client_closed';
      else this.handle(exchange, address, { ...known, [step]: found });
    } catch (error) {
      this.refuse(exchange, error);
    }
  }
}
