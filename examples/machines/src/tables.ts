import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';

export interface Machine {
  /** `vm-` and 12 hex digits. */
  readonly id: string;
  readonly owner: string;
  readonly state: 'on' | 'off';
  /** Where the agent of its host listens: `10.0.0.7:5000`. */
  readonly agent: string;
}

/** What other parts of the application hear of a change, in the application's own words. */
export interface TableChange {
  readonly table: 'machines' | 'keys' | 'tokens';
  readonly row: string;
}

/** The application's tables. Here they are in memory; nothing of the proxy knows that. */
@Injectable()
export class Tables {
  readonly machines = new Map<string, Machine>();
  /** By the SHA-256 of the key. */
  readonly keys = new Map<string, { readonly id: string; readonly owner: string }>();
  /** Ids of tokens that are no longer good although they have not expired. */
  readonly revokedTokens = new Set<string>();
  /** Where processes tell each other of changes: LISTEN/NOTIFY, Redis, a message broker. */
  readonly events = new EventEmitter<{ changed: [TableChange] }>();
}
