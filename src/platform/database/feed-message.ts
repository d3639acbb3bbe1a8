import type { FeedEvent } from './change-feed.js';

/** Channel of the triggers in `migrations/`. */
export const CHANNEL = 'sandbox_proxy_changes';

/** The triggers that feed the channel. */
const TELLING = ['sandboxes', 'hosts', 'team_api_keys', 'teams', 'sandbox_links', 'sandbox_ports'].flatMap(
  (table) => ['row', 'update', 'truncate'].map((event) => `sandbox_proxy_${table}_${event}`),
);

/** Those that end sessions and drop what belonged to a sandbox: what the feed tells of has to be so. */
const ENDING = ['end_sessions', 'end_sessions_of_team', 'drop_access', 'drop_access_of_moved'].map(
  (name) => `sandbox_proxy_${name}`,
);

/** The feed counts as live only while all of them are enabled. */
export const TRIGGERS: readonly string[] = [...TELLING, ...ENDING];

/** Counts the triggers of `$1` that are there, on our tables, and fire in an ordinary session. */
export const COUNT_TRIGGERS = `
  SELECT count(*)::int AS count FROM pg_trigger
  WHERE tgname = ANY($1) AND tgenabled IN ('O', 'A')
    AND tgrelid IN (to_regclass('sandboxes'), to_regclass('hosts'),
                    to_regclass('team_api_keys'), to_regclass('teams'),
                    to_regclass('sandbox_links'), to_regclass('sandbox_ports'))`;

const EVERYTHING: FeedEvent = { table: '*' };

/** A notification's payload as an event; one that cannot be read may have meant anything, so it means everything. */
export function parseFeedMessage(payload: string | undefined): FeedEvent {
  const message = readObject(payload);
  const { table, id, teamId, keyHash, sandboxId, port } = message;
  if (table === 'sandbox_ports' && typeof sandboxId === 'string' && typeof port === 'number')
    return { table, sandboxId, port };
  if (typeof id !== 'string') return EVERYTHING;
  if (table === 'sandbox_links' && typeof sandboxId === 'string') return { table, id, sandboxId };
  if (table === 'hosts' || table === 'teams') return { table, id };
  if (typeof teamId !== 'string') return EVERYTHING;
  if (table === 'sandboxes') return { table, id, teamId };
  if (table === 'team_api_keys' && typeof keyHash === 'string') return { table, id, teamId, keyHash };
  return EVERYTHING;
}

function readObject(payload: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(payload ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
