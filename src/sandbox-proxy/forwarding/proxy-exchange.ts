import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../../errors/error-status.js';
import type { AgentOrigin } from '../upstream/agent-address.js';
import type { Peer } from '../doors/peer.js';
import type { SandboxAddress } from '../doors/sandbox-address.js';
import type { UpgradeRequest } from './upgrade-request.js';

/** Where a request goes: what the steps admit and resolve have found out. */
export interface SandboxRoute {
  /** UUID. */
  readonly teamId: string;
  readonly origin: AgentOrigin;
  /** `/proxy/{sandboxId}/{port}`: every outbound request line starts with it and a `/`. */
  readonly prefix: string;
}

/** One proxied request from its first line to its last byte: what the steps hand on, and what the log line tells. */
export class ProxyExchange {
  readonly startedAtMs = performance.now();
  /** Set once the request is on its way; told when the client is gone. */
  forwarding: { onClientClose(): void } | null = null;
  /** UUID; null until admitted. */
  teamId: string | null = null;
  errorCode: ErrorCode | 'client_closed' | 'upstream_truncated' | null = null;
  /** The system's name of what failed below `errorCode`, e.g. `ECONNREFUSED`. */
  failure: string | null = null;
  /** Milliseconds from the start to the head of the agent's answer; -1 where none came. */
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
  ) {}

  /** True where the client may wait for a 100 before it sends its body; an HTTP/1.0 client cannot. */
  get expectsContinue(): boolean {
    const { headers, httpVersionMinor } = this.request;
    return httpVersionMinor === 1 && headers.expect?.toLowerCase() === '100-continue';
  }
}
