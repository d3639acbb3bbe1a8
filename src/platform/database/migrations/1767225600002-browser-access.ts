import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the message tells of a row (read in feed-message.ts), as arguments of `json_build_object`. */
const TOLD = {
  sandbox_links: {
    payload: (row: string) => `'table', 'sandbox_links', 'id', ${row}.id, 'sandboxId', ${row}.sandbox_id`,
    columns: ['sandbox_id', 'port', 'embed', 'allowed_origins', 'expires_at'],
    rowEvents: 'DELETE',
  },
  sandbox_ports: {
    payload: (row: string) => `'table', 'sandbox_ports', 'sandboxId', ${row}.sandbox_id, 'port', ${row}.port`,
    columns: ['sandbox_id', 'port', 'visibility', 'cors'],
    rowEvents: 'INSERT OR DELETE',
  },
} as const;

/**
 * Preview links, the sessions that browsers have from them, and the settings of single ports. There is no foreign key
 * to `sandboxes`, so that the platform can still truncate and restore its own tables as it likes. Rows of a deleted
 * sandbox are deleted by a trigger, and never count, because every query joins the sandbox.
 *
 * A session ends with its link, when its sandbox stops running or moves to another host or team, and when its team is
 * deleted. The database itself ends it, so that this holds whoever makes the change.
 */
export class BrowserAccess1767225600002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sandbox_links (
        id uuid PRIMARY KEY,
        sandbox_id uuid NOT NULL,
        port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
        label text,
        token_hash bytea NOT NULL,
        once boolean NOT NULL,
        embed boolean NOT NULL,
        allowed_origins jsonb NOT NULL DEFAULT '[]',
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      )`);
    await runner.query('CREATE INDEX sandbox_links_sandbox_id_idx ON sandbox_links (sandbox_id)');
    await runner.query(`
      CREATE TABLE sandbox_sessions (
        id uuid PRIMARY KEY,
        link_id uuid NOT NULL REFERENCES sandbox_links (id) ON DELETE CASCADE,
        sandbox_id uuid NOT NULL,
        token_hash bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX sandbox_sessions_link_id_idx ON sandbox_sessions (link_id)');
    await runner.query('CREATE INDEX sandbox_sessions_sandbox_id_idx ON sandbox_sessions (sandbox_id)');
    await runner.query(`
      CREATE TABLE sandbox_ports (
        sandbox_id uuid NOT NULL,
        port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
        visibility text NOT NULL CHECK (visibility IN ('private', 'public')),
        cors jsonb NOT NULL DEFAULT '"app"',
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (sandbox_id, port)
      )`);
    for (const [table, told] of Object.entries(TOLD)) await this.tell(runner, table, told);
    await this.endSessions(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION IF EXISTS sandbox_proxy_end_sessions() CASCADE');
    await runner.query('DROP FUNCTION IF EXISTS sandbox_proxy_end_sessions_of_team() CASCADE');
    await runner.query('DROP FUNCTION IF EXISTS sandbox_proxy_drop_access() CASCADE');
    await runner.query('DROP TABLE sandbox_sessions, sandbox_links, sandbox_ports');
    for (const table of Object.keys(TOLD)) {
      await runner.query(`DROP FUNCTION IF EXISTS sandbox_proxy_${table}_changed() CASCADE`);
    }
  }

  private async tell(
    runner: QueryRunner,
    table: string,
    { payload, columns, rowEvents }: (typeof TOLD)[keyof typeof TOLD],
  ): Promise<void> {
    const name = `sandbox_proxy_${table}`;
    const told = (row: string): string =>
      `PERFORM pg_notify('sandbox_proxy_changes', json_build_object(${payload(row)})::text);`;
    await runner.query(`
      CREATE FUNCTION ${name}_changed() RETURNS trigger
      LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF TG_OP = 'TRUNCATE' THEN
          PERFORM pg_notify('sandbox_proxy_changes', '{"table":"*"}');
          RETURN NULL;
        END IF;
        IF TG_OP <> 'INSERT' THEN ${told('OLD')} END IF;
        IF TG_OP <> 'DELETE' THEN ${told('NEW')} END IF;
        RETURN NULL;
      END $$`);
    const changed = columns.map((column) => `OLD.${column} IS DISTINCT FROM NEW.${column}`).join(' OR ');
    await runner.query(`CREATE TRIGGER ${name}_row AFTER ${rowEvents} ON ${table}
      FOR EACH ROW EXECUTE FUNCTION ${name}_changed()`);
    await runner.query(`CREATE TRIGGER ${name}_update AFTER UPDATE ON ${table}
      FOR EACH ROW WHEN (${changed}) EXECUTE FUNCTION ${name}_changed()`);
    await runner.query(`CREATE TRIGGER ${name}_truncate AFTER TRUNCATE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION ${name}_changed()`);
  }

  private async endSessions(runner: QueryRunner): Promise<void> {
    // Whoever changes a sandbox may have no rights to our tables, and another search path.
    const [{ schema }] = (await runner.query('SELECT current_schema() AS schema')) as [{ schema: string }];
    const table = (name: string): string => `${quoted(schema)}.${name}`;
    const define = (name: string, statements: string): Promise<unknown> =>
      runner.query(`
        CREATE FUNCTION ${name}() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          ${statements}
          RETURN NULL;
        END $$`);
    await define(
      'sandbox_proxy_end_sessions',
      `DELETE FROM ${table('sandbox_sessions')} WHERE sandbox_id = OLD.id;`,
    );
    await runner.query(`CREATE TRIGGER sandbox_proxy_end_sessions AFTER UPDATE ON sandboxes
      FOR EACH ROW WHEN (
        (OLD.status = 'running' AND NEW.status IS DISTINCT FROM 'running') OR
        (OLD.host_id IS NOT NULL AND OLD.host_id IS DISTINCT FROM NEW.host_id))
      EXECUTE FUNCTION sandbox_proxy_end_sessions()`);
    await define(
      'sandbox_proxy_end_sessions_of_team',
      `DELETE FROM ${table('sandbox_sessions')} USING ${table('sandboxes')} s
        WHERE sandbox_sessions.sandbox_id = s.id AND s.team_id = OLD.id;`,
    );
    await runner.query(`CREATE TRIGGER sandbox_proxy_end_sessions_of_team AFTER UPDATE ON teams
      FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
      EXECUTE FUNCTION sandbox_proxy_end_sessions_of_team()`);
    await define(
      'sandbox_proxy_drop_access',
      `DELETE FROM ${table('sandbox_links')} WHERE sandbox_id = OLD.id;
          DELETE FROM ${table('sandbox_ports')} WHERE sandbox_id = OLD.id;`,
    );
    await runner.query(`CREATE TRIGGER sandbox_proxy_drop_access AFTER DELETE ON sandboxes
      FOR EACH ROW EXECUTE FUNCTION sandbox_proxy_drop_access()`);
    // the links and port settings of the old team must not be the new team's
    await runner.query(`CREATE TRIGGER sandbox_proxy_drop_access_of_moved AFTER UPDATE ON sandboxes
      FOR EACH ROW WHEN (OLD.team_id IS DISTINCT FROM NEW.team_id)
      EXECUTE FUNCTION sandbox_proxy_drop_access()`);
  }
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
