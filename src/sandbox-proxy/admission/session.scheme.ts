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
import { SESSION_COOKIE_NAMES, sessionCookieName } from './session-cookie.js';
import { refusalOfSessionUse } from './session-use.js';
import { changesOfSession, SESSION_SCHEME, SessionsService } from './sessions.service.js';

/** Most cookies of our name that are tried in one request: neighbours may have planted some besides the real one. */
const MAX_COOKIES = 64;

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
    let cookies = '';
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      if (name.length !== 6 || name.toLowerCase() !== 'cookie') continue;
      const value = rawHeaders[i + 1] as string;
      if (value.includes('sandbox_session')) cookies += `;${value}`;
    }
    return cookies === '' ? null : { secret: cookies, header: null };
  }

  admit({ secret }: FoundCredential, request: AdmissionRequest): MaybePromise<SessionAdmission | null> {
    return this.admitFirst(valuesOf(secret, sessionCookieName(request.isSecure)), request);
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

/** The values of the first `MAX_COOKIES` cookies of exactly that name. */
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
