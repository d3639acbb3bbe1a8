/**
 * Something in the application's data has changed, and the change has been committed. Ids are written as everywhere in the
 * contracts: opaque text in lower case, a sandbox's id as it stands in host names.
 *
 * A change says where to look, not what has happened. The module forgets what it remembers of it, asks the stores
 * again, and cuts what no longer holds. To tell of a change that did not happen costs one question and nothing else.
 */
export type Change =
  /** Created, started, paused, stopped, moved, deleted, or given to another team. */
  | { readonly kind: 'sandbox'; readonly sandboxId: string }
  /** Suspended, deleted, or restored. */
  | { readonly kind: 'team'; readonly teamId: string }
  /** The address or the state of a host. */
  | { readonly kind: 'host'; readonly hostId: string }
  /** The settings of one port. */
  | { readonly kind: 'port'; readonly sandboxId: string; readonly port: number }
  /**
   * A credential was created, deleted or changed. `scheme` is the name of a credential scheme, `subject` what that scheme's
   * admissions rest on: for `api-key` the digest of the key, for `session` the id of the link or of the session.
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

/** True for a value with the shape of a change: an application may pass anything. */
export function isChange(told: unknown): told is Change {
  if (typeof told !== 'object' || told === null || !('kind' in told)) return false;
  const { kind, ...rest } = told as Record<string, unknown>;
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) return false;
  return Object.entries(FIELDS[kind as Change['kind']]).every(([field, type]) => typeof rest[field] === type);
}

/** A change as one text, by which what rests on it is found: `{ kind: 'team', teamId: 't1' }` -> `team t1`. */
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
