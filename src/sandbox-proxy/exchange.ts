import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, AdmissionRequest } from './admission/credential-scheme.js';
import type { AccessLogEntry } from './answers/access-log.js';
import type { CorsRule } from './admission/cors.js';
import type { CutReason } from './open-access/cut-reason.js';
import type { Live, LiveGroup } from './open-access/open-group.js';
import type { AgentOrigin } from './agent-client/agent-address.js';
import type { Peer } from './address/peer.js';
import type { SandboxAddress } from './address/sandbox-address.js';
import type { UpgradeRequest } from './relay/upgrade-request.js';

/** Where a request goes: what the steps admit and resolve have found out. */
export interface SandboxRoute {
  /** UUID. */
  readonly teamId: string;
  readonly origin: AgentOrigin;
  /** `/proxy/{sandboxId}/{port}`: every outbound request line starts with it and a `/`. */
  readonly prefix: string;
}

/** One proxied request from its first line to its last byte: what the steps hand on, and what the log line tells. */
export class ProxyExchange implements AccessLogEntry, Live {
  readonly startedAtMs = performance.now();
  /** The response is over, or the client has left. */
  isClosed = false;
  /** Set once it has been cut. */
  cutReason: CutReason | null = null;
  /** Set once the request is on its way; told when the client is gone. */
  forwarding: { onClientClose(): void; cut(reason: CutReason): void } | null = null;
  group: LiveGroup | null = null;
  index = -1;
  /** Null until admitted. */
  admission: Admission | null = null;
  /** Where the proxy answers for the app which pages may read it; null: the app does. */
  cors: CorsRule | null = null;
  errorCode: AccessLogEntry['errorCode'] = null;
  failure: string | null = null;
  firstByteMs = -1;
  bytesIn = 0;
  bytesOut = 0;
  status = 0;

  constructor(
    readonly requestId: string,
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly address: SandboxAddress | null,
    readonly peer: Peer,
    /** Null at door 1. */
    readonly upgrade: UpgradeRequest | null,
    /** True where the client came by HTTPS. */
    readonly isSecure: boolean,
  ) {}

  /** IP address of the client: of the peer, or the last that a trusted peer has named. */
  get client(): string {
    const { address, isTrusted } = this.peer;
    const forwarded = isTrusted ? this.request.headers['x-forwarded-for'] : undefined;
    return forwarded === undefined ? address : (String(forwarded).split(',').at(-1) ?? '').trim();
  }

  get teamId(): string | null {
    return this.admission?.teamId ?? null;
  }

  get method(): string {
    return this.request.method as string;
  }

  get isUpgrade(): boolean {
    return this.upgrade !== null;
  }

  admissionRequest(address: SandboxAddress): AdmissionRequest {
    const { rawHeaders } = this.request;
    return { rawHeaders, address, isSecure: this.isSecure, client: this.client };
  }

  cut(reason: CutReason): void {
    this.cutReason = reason;
    this.forwarding?.cut(reason);
  }

  /** True where the client may wait for a 100 before it sends its body; an HTTP/1.0 client cannot. */
  get expectsContinue(): boolean {
    const { headers, httpVersionMinor } = this.request;
    return httpVersionMinor === 1 && headers.expect?.toLowerCase() === '100-continue';
  }
}
