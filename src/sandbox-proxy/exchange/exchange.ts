import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Peer } from '../address/peer.js';
import type { SandboxAddress } from '../address/sandbox-address.js';
import type { AccessLog, AccessRecord } from '../contracts/access-log.js';
import type { AdmissionRequest } from '../contracts/credential-scheme.js';
import type { PortRules } from '../contracts/port-settings.js';
import type { CorsRule } from '../headers/cors.js';
import type { Cut } from './cut.js';
import type { OpenGroup, OpenMember } from './open-group.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** What an exchange tells its relay. */
export interface Relayed {
  /** The response is over, or the client has left. */
  onClientClose(): void;
  cut(cut: Cut): void;
}

/** One request to a sandbox, from its first line to its last byte: what is known of it, and its record for the log. */
export class Exchange implements AccessRecord, OpenMember {
  readonly startedAtMs = performance.now();
  /** The response is over, or the client has left. */
  isClosed = false;
  /** Its answer has to wait for those of earlier requests on the connection. */
  readonly isQueued: boolean;
  /** Set once it has been cut. */
  wasCut: Cut | null = null;
  /** Set once the request is on its way to the agent. */
  relay: Relayed | null = null;
  group: OpenGroup | null = null;
  index = -1;
  openAt: string | null = null;
  /** Which pages may read the answer, if the proxy decides that; null: the app does. */
  cors: CorsRule | null = null;
  /** What the team has set for the port; null: nothing, or not known yet. */
  rules: PortRules | null = null;
  teamId: string | null = null;
  /** Whether a page of ours may be shown in a frame of another origin. */
  mayBeFramed = false;
  errorCode: string | null = null;
  failure: string | null = null;
  firstByteMs = -1;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;

  constructor(
    readonly requestId: string,
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    /** Null where the Host header was malformed. */
    readonly address: SandboxAddress | null,
    readonly peer: Peer,
    /** IP address of the client, as far as is known. */
    readonly client: string,
    /** Null for a plain request. */
    readonly upgrade: UpgradeRequest | null,
    /** True where the client came by HTTPS. */
    readonly isSecure: boolean,
  ) {
    this.isQueued = response.socket === null;
  }

  get sandboxId(): string | null {
    return this.address?.sandboxId ?? null;
  }

  get port(): number | null {
    return this.address?.port ?? null;
  }

  get method(): string {
    return this.request.method as string;
  }

  get isUpgrade(): boolean {
    return this.upgrade !== null;
  }

  /** The request as credential schemes see it. */
  askedOf(address: SandboxAddress): AdmissionRequest {
    const { sandboxId, port, hasValidId } = address;
    const { request, isSecure, isUpgrade, client } = this;
    const pageOfPort = this.pageOfPort(address);
    return { request, sandboxId, hasValidId, port, isSecure, pageOfPort, isUpgrade, client };
  }

  /** The port of this sandbox whose page has sent the request, by its `Origin`; null: none has. */
  pageOfPort(address: SandboxAddress): number | null {
    const { origin } = this.request.headers;
    return origin === undefined ? null : address.portOfOrigin(origin, this.isSecure);
  }

  cut(cut: Cut): void {
    this.wasCut = cut;
    this.relay?.cut(cut);
  }

  /** True if the client may be waiting for a 100 before it sends its body; an HTTP/1.0 client never is. */
  get expectsContinue(): boolean {
    const { headers, httpVersionMinor } = this.request;
    return httpVersionMinor === 1 && headers.expect?.toLowerCase() === '100-continue';
  }
}

/** Gives the record to the log; a log that fails has no effect on the request. */
export function recordIn(log: AccessLog, record: AccessRecord): void {
  try {
    const told: unknown = log.record(plainRecordOf(record));
    if (told instanceof Promise) told.catch(() => undefined);
  } catch {
    // As the contract says.
  }
}

/** A copy with only the fields of a record: an exchange also holds its request, with the credential in it. */
export function plainRecordOf(record: AccessRecord): AccessRecord {
  return {
    requestId: record.requestId,
    teamId: record.teamId,
    sandboxId: record.sandboxId,
    port: record.port,
    method: record.method,
    isUpgrade: record.isUpgrade,
    startedAtMs: record.startedAtMs,
    firstByteMs: record.firstByteMs,
    status: record.status,
    errorCode: record.errorCode,
    failure: record.failure,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
  };
}
