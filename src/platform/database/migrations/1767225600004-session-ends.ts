import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The columns of links after whose change the sessions begun by them have to be asked about, before and after. */
const COLUMNS = ['sandbox_id', 'port', 'embed', 'allowed_origins', 'expires_at'];
const NEW_COLUMNS = ['renew_seconds', 'renew_until', 'revoked_at'];

/**
 * What has ended stays for a while, as a row with the reason, so that a visitor can be told. A session has an end of its
 * own, which may be moved while it is used (`renew_seconds`), but never beyond that of its link. A sandbox that is paused
 * or moved takes only those sessions with it whose link says so.
 */
export class SessionEnds1767225600004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sandbox_links
        ADD COLUMN revoked_at timestamptz,
        ADD COLUMN renew_seconds integer CHECK (renew_seconds > 0),
        ADD COLUMN renew_until timestamptz,
        ADD COLUMN end_sessions_on_pause boolean NOT NULL DEFAULT false,
        ADD CHECK ((renew_seconds IS NULL) = (renew_until IS NULL))`);
    // The default is for rows of an older version of the program: such a session ends with its link.
    await runner.query(`
      ALTER TABLE sandbox_sessions
        ADD COLUMN expires_at timestamptz NOT NULL DEFAULT 'infinity',
        ADD COLUMN ended_reason text CHECK (ended_reason IN ('revoked', 'paused', 'replaced'))`);
    await runner.query(
      'UPDATE sandbox_sessions c SET expires_at = l.expires_at FROM sandbox_links l WHERE l.id = c.link_id',
    );
    await runner.query('DROP INDEX sandbox_sessions_sandbox_id_idx');
    await runner.query(
      'CREATE INDEX sandbox_sessions_sandbox_id_idx ON sandbox_sessions (sandbox_id, expires_at)',
    );
    await this.tellOf(runner, [...COLUMNS, ...NEW_COLUMNS]);
    await this.endBy(runner, {
      pause: (sessions, links) =>
        `UPDATE ${sessions} c SET expires_at = now(), ended_reason = 'paused' FROM ${links} l
          WHERE c.sandbox_id = OLD.id AND c.expires_at > now() AND l.id = c.link_id AND l.end_sessions_on_pause;`,
      team: (sessions, sandboxes) =>
        `UPDATE ${sessions} c SET expires_at = now(), ended_reason = 'revoked' FROM ${sandboxes} s
          WHERE c.sandbox_id = s.id AND c.expires_at > now() AND s.team_id = OLD.id;`,
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await this.endBy(runner, {
      pause: (sessions) => `DELETE FROM ${sessions} WHERE sandbox_id = OLD.id;`,
      team: (sessions, sandboxes) =>
        `DELETE FROM ${sessions} c USING ${sandboxes} s WHERE c.sandbox_id = s.id AND s.team_id = OLD.id;`,
    });
    await this.tellOf(runner, COLUMNS);
    await runner.query('DELETE FROM sandbox_sessions WHERE expires_at <= now()');
    await runner.query('ALTER TABLE sandbox_sessions DROP COLUMN expires_at, DROP COLUMN ended_reason');
    await runner.query('CREATE INDEX sandbox_sessions_sandbox_id_idx ON sandbox_sessions (sandbox_id)');
    await runner.query(`
      ALTER TABLE sandbox_links DROP COLUMN revoked_at, DROP COLUMN renew_seconds, DROP COLUMN renew_until,
        DROP COLUMN end_sessions_on_pause`);
  }

  /** The trigger that tells of a link, once one of these columns has changed. */
  private async tellOf(runner: QueryRunner, columns: readonly string[]): Promise<void> {
    const name = 'sandbox_proxy_sandbox_links';
    const changed = columns.map((column) => `OLD.${column} IS DISTINCT FROM NEW.${column}`).join(' OR ');
    await runner.query(`DROP TRIGGER ${name}_update ON sandbox_links`);
    await runner.query(`CREATE TRIGGER ${name}_update AFTER UPDATE ON sandbox_links
      FOR EACH ROW WHEN (${changed}) EXECUTE FUNCTION ${name}_changed()`);
  }

  /** What happens to sessions when a sandbox is paused or moved, and when a team is deleted. */
  private async endBy(
    runner: QueryRunner,
    statements: Readonly<Record<'pause' | 'team', (sessions: string, other: string) => string>>,
  ): Promise<void> {
    const [{ schema }] = (await runner.query('SELECT current_schema() AS schema')) as [{ schema: string }];
    const table = (name: string): string => `"${schema.replaceAll('"', '""')}".${name}`;
    const define = (name: string, statement: string): Promise<unknown> =>
      runner.query(`
        CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          ${statement}
          RETURN NULL;
        END $$`);
    await define(
      'sandbox_proxy_end_sessions',
      statements.pause(table('sandbox_sessions'), table('sandbox_links')),
    );
    await define(
      'sandbox_proxy_end_sessions_of_team',
      statements.team(table('sandbox_sessions'), table('sandboxes')),
    );
  }
}
