import { Injectable } from '@nestjs/common';
import {
  type Admission,
  type AdmissionRequest,
  CredentialScheme,
  type FoundCredential,
} from '../contracts/credential-scheme.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { PortRules } from '../contracts/port-settings.js';
import type { SessionPlace } from '../contracts/session-store.js';
import { PortRulesService } from './port-rules.service.js';

/** An admission by a public port. */
interface PublicAdmission extends Admission {
  readonly place: SessionPlace;
}

const NOTHING: FoundCredential = { secret: '', header: null };

/** Admits requests without a credential to a port that its team has made public. Tried last. */
@Injectable()
export class PublicPortScheme extends CredentialScheme<PublicAdmission> {
  readonly name = 'public-port';
  /** One admission for all requests to a port, for as long as its settings are in memory. */
  private readonly admissions = new WeakMap<PortRules, PublicAdmission>();

  constructor(private readonly ports: PortRulesService) {
    super();
  }

  find({ hasValidId }: AdmissionRequest): FoundCredential | null {
    return this.ports.isOff || !hasValidId ? null : NOTHING;
  }

  admit(
    _found: FoundCredential,
    { sandboxId, port, client }: AdmissionRequest,
  ): MaybePromise<PublicAdmission | null> {
    const rules = this.ports.findForStranger(sandboxId, port, client);
    return whenReady(rules, (found) => this.toAdmission(found, sandboxId, port));
  }

  stillHold(admissions: readonly PublicAdmission[]): Promise<readonly boolean[]> {
    return this.ports.arePublic(admissions.map(({ place }) => place));
  }

  private toAdmission(rules: PortRules | null, sandboxId: string, port: number): PublicAdmission | null {
    if (rules?.visibility !== 'public') return null;
    let admission = this.admissions.get(rules);
    if (admission === undefined) {
      const restsOn = [{ kind: 'port', sandboxId, port } as const];
      admission = {
        scheme: this,
        teamId: rules.teamId,
        restsOn,
        mayBeFramed: true,
        place: { sandboxId, port },
      };
      this.admissions.set(rules, admission);
    }
    return admission;
  }
}
