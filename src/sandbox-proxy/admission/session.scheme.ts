import { Injectable } from '@nestjs/common';
import type { Change } from '../contracts/changes.js';
import {
  type Admission,
  type AdmissionRequest,
  CredentialScheme,
  type FoundCredential,
  type Standing,
} from '../contracts/credential-scheme.js';
import { type MaybePromise, whenReady } from '../contracts/maybe-promise.js';
import type { PortRules } from '../contracts/port-settings.js';
import type { EndedSession } from '../contracts/session-store.js';
import { type ProxyError, SessionEndedError, TooManyLookupsError } from '../errors.js';
import { PortRulesService } from './port-rules.service.js';
import type { KeptSession } from './session-renewals.js';
import { cookieLinesIn, SESSION_COOKIE_NAMES, sessionTokensIn } from './session-cookie.js';
import { isOfOwnPage, refusalOfSessionUse } from './session-use.js';
import { changesOfSession, isEnded, SESSION_SCHEME, SessionsService } from './sessions.service.js';

/** An admission by a session. */
interface SessionAdmission extends Admission {
  readonly session: KeptSession;
  /** The origin of the page that uses it, where only the port's CORS list allows that; null: it needs no list. */
  readonly listedOrigin: string | null;
}

/** In which a program that is no browser shows the token of a link. */
const LINK_HEADER = 'x-sandbox-link';

/** Most admissions of one session by origins of a list; above it they are made anew. */
const MAX_LISTED = 100;

/** The cookie that a browser got in exchange for a preview link, or the token of the link itself in `X-Sandbox-Link`. */
@Injectable()
export class SessionScheme extends CredentialScheme<SessionAdmission> {
  readonly name = SESSION_SCHEME;
  override readonly refusal = 'the session has ended; open a preview link of this sandbox again';
  override readonly endedCode = 'session_ended';
  override readonly cookies = SESSION_COOKIE_NAMES;
  override readonly pattern: RegExp | null;
  /** One admission for all requests of a session, for as long as the session is in memory. */
  private readonly admissions = new WeakMap<KeptSession, SessionAdmission>();
  /** Those that rest on the port's CORS list too, by the origin in it. */
  private readonly listed = new WeakMap<SessionAdmission, Map<string, SessionAdmission>>();

  constructor(
    private readonly sessions: SessionsService,
    private readonly ports: PortRulesService,
  ) {
    super();
    this.pattern = sessions.pattern;
  }

  find({ request: { rawHeaders, headers }, hasValidId }: AdmissionRequest): FoundCredential | null {
    if (!hasValidId) return null;
    const link = headers[LINK_HEADER];
    if (link !== undefined) return { secret: String(link), header: LINK_HEADER };
    const cookies = cookieLinesIn(rawHeaders);
    return cookies === '' ? null : { secret: cookies, header: null };
  }

  admit(
    { secret, header }: FoundCredential,
    request: AdmissionRequest,
  ): MaybePromise<SessionAdmission | null> {
    if (header !== LINK_HEADER) return this.admitFirst(sessionTokensIn(secret, request.isSecure), request);
    return whenReady(this.sessions.findByLink(secret, request, request.client), (found) => {
      if (found !== null && isEnded(found)) throw new SessionEndedError(found.ended, 'link');
      return found === null ? null : this.admissionOf(found);
    });
  }

  async stillHold(admissions: readonly SessionAdmission[]): Promise<readonly Standing[]> {
    const standings = await this.sessions.stillHold(admissions.map(({ session }) => session));
    const listed = admissions.filter(({ listedOrigin }) => listedOrigin !== null);
    if (listed.length === 0) return standings;
    const rules = await this.ports.findAll(listed.map(({ session }) => session));
    const isListed = new Map(listed.map((admission, i) => [admission, isListedIn(rules[i], admission)]));
    return admissions.map((admission, i) =>
      standings[i] === true && isListed.get(admission) === false ? 'origin' : (standings[i] as Standing),
    );
  }

  override inUse({ session }: SessionAdmission): void {
    this.sessions.noteUse(session);
  }

  override forget(change: Change): void {
    this.sessions.forget(change);
  }

  override permit(
    admission: SessionAdmission,
    request: AdmissionRequest,
    allowedOrigin: string | null,
  ): ProxyError | SessionAdmission | null {
    const refusal = refusalOfSessionUse(admission.session, request, allowedOrigin);
    if (refusal !== null || allowedOrigin === null || isOfOwnPage(request)) return refusal;
    return this.listedAdmission(admission, allowedOrigin);
  }

  /** The admission of pages of an origin that is allowed by the port's list: it ends when the list has it no more. */
  private listedAdmission(admission: SessionAdmission, listedOrigin: string): SessionAdmission {
    let known = this.listed.get(admission);
    if (known === undefined || known.size >= MAX_LISTED) {
      known = new Map();
      this.listed.set(admission, known);
    }
    let listed = known.get(listedOrigin);
    if (listed === undefined) {
      const { sandboxId, port } = admission.session;
      const restsOn = [...admission.restsOn, { kind: 'port', sandboxId, port } as const];
      listed = this.newAdmission(admission.session, restsOn, listedOrigin);
      known.set(listedOrigin, listed);
    }
    return listed;
  }

  /**
   * The admission by the first of the tokens that has a session. A neighbour may have planted tokens before the real one, so
   * what comes of one of them does not end the search.
   *
   * @param refused what the first one that was refused is told
   * @throws SessionEndedError, TooManyLookupsError, also as rejections
   */
  private admitFirst(
    tokens: readonly string[],
    request: AdmissionRequest,
    refused: ProxyError | null = null,
  ): MaybePromise<SessionAdmission | null> {
    let first = refused;
    for (let i = 0; i < tokens.length; i += 1) {
      let found: ReturnType<SessionsService['find']>;
      try {
        found = this.sessions.find(tokens[i] as string, request, request.client);
      } catch (error) {
        if (!(error instanceof TooManyLookupsError)) throw error;
        first ??= error;
        continue;
      }
      if (found instanceof Promise)
        return found.then((session) => {
          if (session !== null && !isEnded(session)) return this.admissionOf(session);
          return this.admitFirst(tokens.slice(i + 1), request, first ?? endOf(session));
        });
      if (found !== null && !isEnded(found)) return this.admissionOf(found);
      first ??= endOf(found);
    }
    if (first !== null) throw first;
    return null;
  }

  private admissionOf(session: KeptSession): SessionAdmission {
    let admission = this.admissions.get(session);
    if (admission === undefined) {
      admission = this.newAdmission(session, changesOfSession(session), null);
      this.admissions.set(session, admission);
    }
    return admission;
  }

  private newAdmission(
    session: KeptSession,
    restsOn: readonly Change[],
    listedOrigin: string | null,
  ): SessionAdmission {
    const { teamId, allowedOrigins, ports } = session;
    return {
      scheme: this,
      teamId,
      allowedOrigins,
      ...(ports !== undefined && { namedPorts: ports }),
      restsOn,
      session,
      listedOrigin,
      mayBeFramed: session.embed,
      // what is open ends when the session does, which may have been prolonged since
      get expiresAtMs() {
        return session.expiresAtMs;
      },
    };
  }
}

function endOf(session: EndedSession | null): SessionEndedError | null {
  return session === null ? null : new SessionEndedError(session.ended, 'session', session.embed);
}

function isListedIn(
  rules: PortRules | null | undefined,
  { teamId, listedOrigin }: SessionAdmission,
): boolean {
  return rules?.teamId === teamId && rules.cors !== 'app' && rules.cors.includes(listedOrigin as string);
}
