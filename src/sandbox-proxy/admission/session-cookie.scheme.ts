import { Injectable } from '@nestjs/common';
import type { TokenPlace } from '../../platform/links/access-token.js';
import type { Session } from '../../platform/links/session.repository.js';
import { SessionService } from '../../platform/links/session.service.js';
import { sessionCookieName } from '../headers/session-cookies.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import type { Admission, AdmissionRequest, CredentialScheme } from './credential-scheme.js';
import { StrangerBudget } from './stranger-budget.js';

/** Cookies of our name that are looked at in one request: a neighbour may have planted some beside the real one. */
const MAX_COOKIES = 8;

/** The cookie that a browser got for a preview link. */
@Injectable()
export class SessionCookieScheme implements CredentialScheme {
  readonly refusal = 'the session has ended; open a preview link of this sandbox again';

  constructor(
    private readonly sessions: SessionService,
    private readonly strangers: StrangerBudget,
  ) {}

  find({ rawHeaders }: AdmissionRequest): string | null {
    let found: string | null = null;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
      const value = rawHeaders[i + 1] as string;
      if (value.includes('sandbox_session')) found = found === null ? value : `${found}; ${value}`;
    }
    return found;
  }

  admit(cookies: string, { address, isSecure, client }: AdmissionRequest): MaybePromise<Admission | null> {
    const sandboxId = address.sandboxUuid;
    if (sandboxId === null) return null;
    const tokens = valuesOf(cookies, sessionCookieName(isSecure));
    const place = { sandboxId, port: address.port };
    const admission = this.admitFrom(tokens, place, () => this.strangers.check(client));
    return this.strangers.spend(client, admission);
  }

  private admitFrom(
    tokens: readonly string[],
    place: TokenPlace,
    beforeAsking: () => void,
  ): MaybePromise<Admission | null> {
    for (let i = 0; i < tokens.length; i += 1) {
      const session = this.sessions.find(tokens[i] as string, place, beforeAsking);
      if (session instanceof Promise)
        return session.then((found) =>
          found === null ? this.admitFrom(tokens.slice(i + 1), place, beforeAsking) : toAdmission(found),
        );
      if (session !== null) return toAdmission(session);
    }
    return null;
  }
}

function toAdmission(session: Session): Admission {
  return { teamId: session.teamId, ground: { kind: 'session', session } };
}

/** The values of the cookies of exactly that name, the first few. */
function valuesOf(cookies: string, name: string): string[] {
  const values: string[] = [];
  for (const pair of cookies.split(';')) {
    const trimmed = pair.trim();
    if (!trimmed.startsWith(`${name}=`)) continue;
    values.push(trimmed.slice(name.length + 1));
    if (values.length === MAX_COOKIES) break;
  }
  return values;
}
