import type { IncomingMessage } from 'node:http';
import {
  type AdmittedKey,
  ApiKeyStore,
  type KeyInUse,
} from '../../src/sandbox-proxy/contracts/api-key-store.js';
import type { AdmissionRequest } from '../../src/sandbox-proxy/contracts/credential-scheme.js';
import { type PortRules, PortSettings } from '../../src/sandbox-proxy/contracts/port-settings.js';
import {
  type BegunSession,
  type EndedSession,
  type Session,
  type SessionPlace,
  SessionStore,
} from '../../src/sandbox-proxy/contracts/session-store.js';
import type { SessionEnd } from '../../src/sandbox-proxy/errors.js';
import { Gate } from './answer-fakes.js';

/** The key of that number: `wrn_` and 32 hex digits. */
export function keyOf(number: number): string {
  return `wrn_${number.toString(16).padStart(32, '0')}`;
}

/** A table of keys that notes its questions, and can be held back or broken. */
export class FakeApiKeys extends ApiKeyStore {
  pattern = /wrn_[0-9a-f]{32}/;
  /** By digest, e.g. `digest of 1` for `keyOf(1)`. */
  readonly rows = new Map<string, AdmittedKey>();
  readonly asked: string[] = [];
  readonly used: string[] = [];
  failure: Error | null = null;
  /** What is answered instead of a row; a store may answer anything. */
  instead: unknown = null;
  override noteUse?: (keyId: string) => void = (keyId) => void this.used.push(keyId);
  private gate: Promise<void> = Promise.resolve();

  digest(key: string): string {
    return `digest of ${Number.parseInt(key.slice(4), 16)}`;
  }

  async find(digest: string): Promise<AdmittedKey | null> {
    this.asked.push(digest);
    const { failure, instead } = this;
    const answer = this.rows.get(digest) ?? null;
    await this.gate;
    if (failure !== null) throw failure;
    return instead === null ? answer : (instead as AdmittedKey);
  }

  async stillHold(keys: readonly KeyInUse[]): Promise<readonly boolean[]> {
    return keys.map(({ digest, keyId, teamId }) => {
      const row = this.rows.get(digest);
      return row?.keyId === keyId && row.teamId === teamId;
    });
  }

  /** Holds answers back until the returned function is called. */
  hold(): () => void {
    const gate = new Gate();
    this.gate = gate.opened;
    return gate.open;
  }
}

/** A request as credentials are looked for in it. */
export function askedWith(
  rawHeaders: readonly string[],
  more: Partial<Omit<AdmissionRequest, 'request'>> & { readonly method?: string } = {},
): AdmissionRequest {
  const { method = 'GET', ...asked } = more;
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2)
    headers[(rawHeaders[i] as string).toLowerCase()] = rawHeaders[i + 1] as string;
  // The parts that schemes read: only those.
  const request = { method, rawHeaders, headers } as unknown as IncomingMessage;
  return {
    request,
    sandboxId: 'cl-x',
    hasValidId: true,
    port: 80,
    isSecure: false,
    pageOfPort: null,
    isUpgrade: false,
    client: '192.0.2.1',
    ...asked,
  };
}

export const SESSION_PLACE: SessionPlace = { sandboxId: 'cl-x', port: 80 };

/** The session `session-{number}` of the link `link-{number}`, which does not end by itself. */
export function sessionOf(number: number): Session {
  return {
    ...SESSION_PLACE,
    sessionId: `session-${number}`,
    linkId: `link-${number}`,
    teamId: 'team-a',
    embed: false,
    allowedOrigins: [],
    expiresAtMs: 9e15,
  };
}

/** Tables of links and sessions, by token, which can be held back. */
export class FakeSessions extends SessionStore {
  pattern = /wr[ls]_\d+/;
  readonly sessions = new Map<string, Session>();
  readonly links = new Map<string, BegunSession>();
  /** How the sessions and links of these tokens have ended. */
  readonly ends = new Map<string, SessionEnd>();
  /** Tokens of the links that are to be confirmed. */
  readonly once = new Set<string>();
  asked = 0;
  begun = 0;
  /** True: gives the session of a token whatever the place. */
  isCareless = false;
  /** What is answered instead of a row or a list; a store may answer anything. */
  instead: unknown = null;
  insteadOfHolding: unknown = null;
  /** The ids of the sessions that it was asked to renew, question by question. */
  readonly renewed: string[][] = [];
  /** False: all have ended. */
  isRenewing = true;
  insteadOfEnds: unknown = null;
  /** What exchanges and renewals fail with. */
  failure: Error | null = null;
  private gate: Promise<void> = Promise.resolve();

  async find(token: string, { sandboxId, port }: SessionPlace): Promise<Session | EndedSession | null> {
    this.asked += 1;
    if (this.instead !== null) return this.instead as Session;
    const ended = this.ends.get(token);
    if (ended !== undefined) return { ended };
    const session = this.sessions.get(token) ?? null;
    const isHere = session?.sandboxId === sandboxId && session.port === port;
    return isHere || this.isCareless ? session : null;
  }

  async begin(
    linkToken: string,
    _place: SessionPlace,
    isConfirmed: boolean,
  ): Promise<BegunSession | EndedSession | 'confirm' | null> {
    this.begun += 1;
    await this.gate;
    if (this.failure !== null) throw this.failure;
    if (this.instead !== null) return this.instead as BegunSession;
    const ended = this.ends.get(linkToken);
    if (ended !== undefined) return { ended };
    if (this.once.has(linkToken) && !isConfirmed) return 'confirm';
    return this.links.get(linkToken) ?? null;
  }

  override linkIdOf(linkToken: string): string | null {
    return linkToken.replace('wrl_', 'link-');
  }

  override async renew(sessions: readonly Session[]): Promise<readonly (number | null)[]> {
    this.renewed.push(sessions.map(({ sessionId }) => sessionId));
    if (this.failure !== null) throw this.failure;
    if (this.insteadOfEnds !== null) return this.insteadOfEnds as readonly number[];
    return sessions.map(({ renewal }) =>
      this.isRenewing && renewal !== undefined ? Math.min(renewal.untilMs, Date.now() + renewal.ttlMs) : null,
    );
  }

  async stillHold(sessions: readonly Session[]): Promise<readonly boolean[]> {
    if (this.insteadOfHolding !== null) return this.insteadOfHolding as readonly boolean[];
    const held = new Set([...this.sessions.values()].map(({ sessionId }) => sessionId));
    return sessions.map(({ sessionId }) => held.has(sessionId));
  }

  /** Holds exchanges back until the returned function is called. */
  hold(): () => void {
    const gate = new Gate();
    this.gate = gate.opened;
    return gate.open;
  }
}

/** A table of port settings, by `{sandboxId} {port}`. */
export class FakePorts extends PortSettings {
  readonly rules = new Map<string, PortRules>();
  asked = 0;
  /** What is answered instead of a row or a list; a store may answer anything. */
  instead: unknown = null;
  insteadOfMany: unknown = null;

  private gate: Promise<void> = Promise.resolve();

  /** Holds answers back until the returned function is called. */
  hold(): () => void {
    const gate = new Gate();
    this.gate = gate.opened;
    return gate.open;
  }

  async find(sandboxId: string, port: number): Promise<PortRules | null> {
    this.asked += 1;
    await this.gate;
    if (this.instead !== null) return this.instead as PortRules;
    return this.rules.get(`${sandboxId} ${port}`) ?? null;
  }

  async findMany(places: readonly SessionPlace[]): Promise<readonly (PortRules | null)[]> {
    if (this.insteadOfMany !== null) return this.insteadOfMany as readonly PortRules[];
    return places.map(({ sandboxId, port }) => this.rules.get(`${sandboxId} ${port}`) ?? null);
  }
}
