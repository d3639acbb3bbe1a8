import { Injectable } from '@nestjs/common';
import { type PortSettings, PortSettingsService } from '../../platform/ports/port-settings.service.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { Admission, AdmissionRequest, CredentialScheme } from './credential-scheme.js';
import { StrangerBudget } from './stranger-budget.js';

/** No credential at all, for a port that its team has made public. Tried last. */
@Injectable()
export class PublicPortScheme implements CredentialScheme {
  readonly refusal = null;

  constructor(
    private readonly ports: PortSettingsService,
    private readonly strangers: StrangerBudget,
  ) {}

  find(): string {
    return '';
  }

  admit(_credential: string, { address, client }: AdmissionRequest): MaybePromise<Admission | null> {
    const sandboxId = address.sandboxUuid;
    if (sandboxId === null) return null;
    const settings = this.ports.find(sandboxId, address.port, () => this.strangers.check(client));
    return whenReady(this.strangers.spend(client, settings), toAdmission);
  }
}

function toAdmission(settings: PortSettings | null): Admission | null {
  if (settings?.visibility !== 'public') return null;
  return { teamId: settings.teamId, ground: { kind: 'public', settings } };
}
