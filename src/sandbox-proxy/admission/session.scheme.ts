import { Injectable } from '@nestjs/common';
import type { Change } from '../contracts/changes.js';
import {
  type Admission,
  type AdmissionRequest,
  CredentialScheme,
  type FoundCredential,
} from '../contracts/credential-scheme.js';
import type { MaybePromise } from '../contracts/maybe-promise.js';
import type { Session } from '../contracts/session-store.js';
import type { ProxyError } from '../errors.js';
import { cookieLinesIn, SESSION_COOKIE_NAMES, sessionTokensIn } from './session-cookie.js';
import { refusalOfSessionUse } from './session-use.js';
import { changesOfSession, SESSION_SCHEME, SessionsService } from './sessions.service.js';

/** An admission by a session. */
interface SessionAdmission extends Admission {
  readonly session: Session;
}

/** The cookie that a browser got in exchange for a preview link. */
@Injectable()
export class SessionScheme extends CredentialScheme<SessionAdmission> {
  readonly name = SESSION_SCHEME;
  override readonly refusal = 'the session has ended; open a preview link of this sandbox again';
  override readonly endedCode = 'session_ended';
  override readonly cookies = SESSION_COOKIE_NAMES;
  override readonly pattern: RegExp | null;
  /** One admission for all requests of a session, for as long as the session is in memory. */
  private readonly admissions = new WeakMap<Session, SessionAdmission>();

  constructor(private readonly sessions: SessionsService) {
    super();
    this.pattern = sessions.pattern;
  }

  find({ request: { rawHeaders }, hasValidId }: AdmissionRequest): FoundCredential | null {
    if (!hasValidId) return null;
    const cookies = cookieLinesIn(rawHeaders);
    return cookies === '' ? null : { secret: cookies, header: null };
  }

  admit({ secret }: FoundCredential, request: AdmissionRequest): MaybePromise<SessionAdmission | null> {
    return this.admitFirst(sessionTokensIn(secret, request.isSecure), request);
  }

  stillHold(admissions: readonly SessionAdmission[]): Promise<readonly boolean[]> {
    return this.sessions.stillHold(admissions.map(({ session }) => session));
  }

  override forget(change: Change): void {
    this.sessions.forget(change);
  }

  override permit(
    { session }: SessionAdmission,
    request: AdmissionRequest,
    allowedOrigin: string | null,
  ): ProxyError | null {
    return refusalOfSessionUse(session, request, allowedOrigin);
  }

  /** The admission by the first of the tokens that has a session. */
  private admitFirst(
    tokens: readonly string[],
    request: AdmissionRequest,
  ): MaybePromise<SessionAdmission | null> {
    for (let i = 0; i < tokens.length; i += 1) {
      const session = this.sessions.find(tokens[i] as string, request, request.client);
      if (session instanceof Promise)
        return session.then((found) =>
          found === null ? this.admitFirst(tokens.slice(i + 1), request) : this.admissionOf(found),
        );
      if (session !== null) return this.admissionOf(session);
    }
    return null;
  }

  private admissionOf(session: Session): SessionAdmission {
    let admission = this.admissions.get(session);
    if (admission === undefined) {
      const { teamId, expiresAtMs } = session;
      admission = { scheme: this, teamId, expiresAtMs, restsOn: changesOfSession(session), session };
      this.admissions.set(session, admission);
    }
    return admission;
  }
}
