import type { MigrationInterface, QueryRunner } from 'typeorm';

const UPDATE = 'sandbox_proxy_sandbox_ports_update';

/** How the app on a port sees itself. */
export class AppHost1767225600003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE sandbox_ports
      ADD COLUMN app_host text NOT NULL DEFAULT 'local' CHECK (app_host IN ('local', 'external'))`);
    await this.tell(runner, ['sandbox_id', 'port', 'visibility', 'cors', 'app_host']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await this.tell(runner, ['sandbox_id', 'port', 'visibility', 'cors']);
    await runner.query('ALTER TABLE sandbox_ports DROP COLUMN app_host');
  }

  /** Tells of updates of these columns. */
  private async tell(runner: QueryRunner, columns: readonly string[]): Promise<void> {
    const changed = columns.map((column) => `OLD.${column} IS DISTINCT FROM NEW.${column}`).join(' OR ');
    await runner.query(`DROP TRIGGER ${UPDATE} ON sandbox_ports`);
    await runner.query(`CREATE TRIGGER ${UPDATE} AFTER UPDATE ON sandbox_ports
      FOR EACH ROW WHEN (${changed}) EXECUTE FUNCTION sandbox_proxy_sandbox_ports_changed()`);
  }
}
