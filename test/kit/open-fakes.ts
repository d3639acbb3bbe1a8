import type { Change } from '../../src/sandbox-proxy/contracts/changes.js';
import {
  type Admission,
  CredentialScheme,
  type FoundCredential,
} from '../../src/sandbox-proxy/contracts/credential-scheme.js';
import type {
  SandboxDirectory,
  SandboxLocation,
  SandboxOfTeam,
} from '../../src/sandbox-proxy/contracts/sandbox-directory.js';
import type { Cut } from '../../src/sandbox-proxy/exchange/cut.js';
import type { OpenGroup, OpenMember } from '../../src/sandbox-proxy/exchange/open-group.js';

/** Something open, which notes how it was ended. */
export class FakeMember implements OpenMember {
  group: OpenGroup | null = null;
  index = -1;
  wasCut: Cut | null = null;
  openAt: string | null;
  private readonly onCut: () => void;

  constructor({
    openAt = 'host-1',
    onCut = () => undefined,
  }: { openAt?: string | null; onCut?: () => void } = {}) {
    this.openAt = openAt;
    this.onCut = onCut;
  }

  /** How it was ended: what a request is answered, and what a WebSocket is told; null: it goes on. */
  get ending(): string | null {
    return this.wasCut === null ? null : `${this.wasCut.error.code} ${this.wasCut.close.code}`;
  }

  cut(cut: Cut): void {
    this.wasCut = cut;
    this.onCut();
  }
}

/** A kind of credential whose admissions hold until the test revokes them. */
export class FakeScheme extends CredentialScheme {
  override readonly endedCode: 'unauthorized' | 'session_ended';
  /** Subjects that no longer admit. */
  readonly revoked = new Set<string>();
  /** How many admissions each question was about. */
  readonly asked: number[] = [];
  readonly forgotten: Change[] = [];
  /** Admissions that were said to be in use. */
  readonly used: Admission[] = [];
  /** What is answered instead, e.g. a promise that never settles. */
  instead: (() => Promise<unknown>) | null = null;

  constructor(
    readonly name = 'fake',
    endedCode: 'unauthorized' | 'session_ended' = 'unauthorized',
  ) {
    super();
    this.endedCode = endedCode;
  }

  admission(subject: string, teamId: string, more: Partial<Admission> = {}): Admission {
    const restsOn: Change[] = [{ kind: 'credential', scheme: this.name, subject }];
    return { scheme: this, teamId, restsOn, ...more };
  }

  find(): FoundCredential | null {
    return null;
  }

  admit(): Admission | null {
    return null;
  }

  async stillHold(admissions: readonly Admission[]): Promise<readonly boolean[]> {
    this.asked.push(admissions.length);
    // What a store answers is not typed: it may be anything.
    if (this.instead !== null) return this.instead() as Promise<readonly boolean[]>;
    return admissions.map(({ restsOn }) => !restsOn.some((change) => this.isRevoked(change)));
  }

  override inUse(admission: Admission): void {
    this.used.push(admission);
  }

  override forget(change: Change): void {
    this.forgotten.push(change);
  }

  private isRevoked(change: Change): boolean {
    return change.kind === 'credential' && this.revoked.has(change.subject);
  }
}

/** Where sandboxes are, by `{sandboxId}/{teamId}`; those that nothing has been said of run on `host-1`. */
export class FakePlaces implements SandboxDirectory {
  readonly places = new Map<string, SandboxLocation | null>();
  /** The pairs of each question. */
  readonly asked: string[][] = [];
  /** What is answered instead, e.g. a promise that never settles. */
  instead: (() => Promise<unknown>) | null = null;

  async locate(sandboxId: string, teamId: string): Promise<SandboxLocation | null> {
    return this.placeOf(`${sandboxId}/${teamId}`);
  }

  async locateMany(pairs: readonly SandboxOfTeam[]): Promise<readonly (SandboxLocation | null)[]> {
    const keys = pairs.map(({ sandboxId, teamId }) => `${sandboxId}/${teamId}`);
    this.asked.push(keys);
    // What a store answers is not typed: it may be anything.
    if (this.instead !== null) return this.instead() as Promise<readonly SandboxLocation[]>;
    return keys.map((key) => this.placeOf(key));
  }

  private placeOf(key: string): SandboxLocation | null {
    const place = this.places.get(key);
    return place === undefined ? { status: 'running', address: '10.0.0.1:5000', hostId: 'host-1' } : place;
  }
}
