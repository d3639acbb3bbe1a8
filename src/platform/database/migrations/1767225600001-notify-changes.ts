import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['sandboxes', 'hosts', 'team_api_keys', 'teams'] as const;
type Table = (typeof TABLES)[number];

/** What the message tells of a row, as arguments of `json_build_object`. */
const PAYLOAD: Readonly<Record<Table, (row: string) => string>> = {
  sandboxes: (row) => `'table', 'sandboxes', 'id', ${row}.id, 'teamId', ${row}.team_id`,
  hosts: (row) => `'table', 'hosts', 'id', ${row}.id`,
  team_api_keys: (row) =>
    `'table', 'team_api_keys', 'id', ${row}.id, 'teamId', ${row}.team_id, 'keyHash', ${row}.key_hash`,
  teams: (row) => `'table', 'teams', 'id', ${row}.id`,
};

/** The columns that a remembered answer may hold or depend on; `last_used`, heartbeats and names are not among them. */
const COLUMNS: Readonly<Record<Table, readonly string[]>> = {
  sandboxes: ['id', 'team_id', 'host_id', 'status'],
  hosts: ['id', 'address'],
  team_api_keys: ['id', 'team_id', 'key_hash'],
  teams: ['id', 'deleted_at'],
};

/** Nothing is remembered of a new host or team, but a new key or sandbox may have been asked for before it existed. */
const ROW_EVENTS: Readonly<Record<Table, string>> = {
  sandboxes: 'INSERT OR DELETE',
  hosts: 'DELETE',
  team_api_keys: 'INSERT OR DELETE',
  teams: 'DELETE',
};

/**
 * Triggers that send committed changes to the channel `sandbox_proxy_changes`, as JSON (read in feed-message.ts). An update
 * tells the old row and, if it differs, the new one. TRUNCATE tells `{"table":"*"}`.
 */
export class NotifyChanges1767225600001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      const name = `sandbox_proxy_${table}`;
      const told = (row: string): string =>
        `PERFORM pg_notify('sandbox_proxy_changes', json_build_object(${PAYLOAD[table](row)})::text);`;
      await runner.query(`
        CREATE OR REPLACE FUNCTION ${name}_changed() RETURNS trigger
        LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          IF TG_OP = 'TRUNCATE' THEN
            PERFORM pg_notify('sandbox_proxy_changes', '{"table":"*"}');
            RETURN NULL;
          END IF;
          IF TG_OP <> 'INSERT' THEN ${told('OLD')} END IF;
          -- PostgreSQL drops the second of two equal notifications of one transaction
          IF TG_OP <> 'DELETE' THEN ${told('NEW')} END IF;
          RETURN NULL;
        END $$`);
      const changed = COLUMNS[table].map((column) => `OLD.${column} IS DISTINCT FROM NEW.${column}`);
      const triggers = {
        [`${name}_row`]: `AFTER ${ROW_EVENTS[table]} ON ${table} FOR EACH ROW`,
        [`${name}_update`]: `AFTER UPDATE ON ${table} FOR EACH ROW WHEN (${changed.join(' OR ')})`,
        [`${name}_truncate`]: `AFTER TRUNCATE ON ${table} FOR EACH STATEMENT`,
      };
      for (const [trigger, event] of Object.entries(triggers)) {
        await runner.query(`DROP TRIGGER IF EXISTS ${trigger} ON ${table}`);
        await runner.query(`CREATE TRIGGER ${trigger} ${event} EXECUTE FUNCTION ${name}_changed()`);
      }
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      await runner.query(`DROP FUNCTION IF EXISTS sandbox_proxy_${table}_changed() CASCADE`);
    }
  }
}
