/** Channel of the triggers in `migrations/`. */
export const CHANNEL = 'sandbox_proxy_changes';

/** The triggers that send changes to the channel. */
const TELLING = ['sandboxes', 'hosts', 'team_api_keys', 'teams', 'sandbox_links', 'sandbox_ports'].flatMap(
  (table) => ['row', 'update', 'truncate'].map((event) => `sandbox_proxy_${table}_${event}`),
);

/** The triggers that end sessions and drop what belonged to a sandbox, on which what the feed tells depends. */
const ENDING = ['end_sessions', 'end_sessions_of_team', 'drop_access', 'drop_access_of_moved'].map(
  (name) => `sandbox_proxy_${name}`,
);

/** The feed counts as live only while all of them are enabled. */
export const TRIGGERS: readonly string[] = [...TELLING, ...ENDING];

/** Counts those triggers of `$1` that exist on our tables and fire in an ordinary session. */
export const COUNT_TRIGGERS = `
  SELECT count(*)::int AS count FROM pg_trigger
  WHERE tgname = ANY($1) AND tgenabled IN ('O', 'A')
    AND tgrelid IN (to_regclass('sandboxes'), to_regclass('hosts'),
                    to_regclass('team_api_keys'), to_regclass('teams'),
                    to_regclass('sandbox_links'), to_regclass('sandbox_ports'))`;
