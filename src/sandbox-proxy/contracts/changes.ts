/**
 * Something in the application's data has changed and been committed. Ids are written as everywhere in the contracts:
 * opaque text, lower case, a sandbox's as it stands in host names.
 *
 * A change says where to look, not what has happened: the module forgets what it remembers of that, asks the stores
 * again, and cuts what no longer holds. Telling of a change that was none costs a question and nothing else.
 */
export type Change =
  /** Created, started, paused, stopped, moved, deleted, or given to another team. */
  | { readonly kind: 'sandbox'; readonly sandboxId: string }
  /** Suspended, deleted, or back again. */
  | { readonly kind: 'team'; readonly teamId: string }
  /** The address or the state of a host. */
  | { readonly kind: 'host'; readonly hostId: string }
  /** The settings of one port. */
  | { readonly kind: 'port'; readonly sandboxId: string; readonly port: number }
  /**
   * A credential has come, gone or changed. `scheme` is the name of a credential scheme and `subject` what that scheme
   * says its admissions rest on: for `api-key` the digest of the key, for `session` the id of the link or of the session.
   */
  | { readonly kind: 'credential'; readonly scheme: string; readonly subject: string }
  /** Anything may have changed. */
  | { readonly kind: 'everything' };

const FIELDS: Readonly<Record<Change['kind'], Readonly<Record<string, 'string' | 'number'>>>> = {
  sandbox: { sandboxId: 'string' },
  team: { teamId: 'string' },
  host: { hostId: 'string' },
  port: { sandboxId: 'string', port: 'number' },
  credential: { scheme: 'string', subject: 'string' },
  everything: {},
};

/** True for what has the shape of a change; an application may tell anything. */
export function isChange(told: unknown): told is Change {
  if (typeof told !== 'object' || told === null || !('kind' in told)) return false;
  const { kind, ...rest } = told as Record<string, unknown>;
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false;
  return Object.entries(FIELDS[kind as Change['kind']]).every(([field, type]) => typeof rest[field] === type);
}

/** One text per thing that changes, by which what rests on it is found: `{ kind: 'team', teamId: 't1' }` -> `team t1`. */
export function topicOf(change: Change): string {
  switch (change.kind) {
    case 'sandbox':
      return `sandbox ${change.sandboxId}`;
    case 'team':
      return `team ${change.teamId}`;
    case 'host':
      return `host ${change.hostId}`;
    case 'port':
      return `port ${change.sandboxId} ${change.port}`;
    case 'credential':
      return `credential ${change.scheme} ${change.subject}`;
    case 'everything':
      return 'everything';
  }
}
