import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Links for several ports, and a session at each of them. `pending`: the session waits at its port to be begun, and
 * `token_hash` is that of the token which begins it.
 */
export class LinkPorts1767225600005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE sandbox_links ADD COLUMN ports integer[]');
    await runner.query(`ALTER TABLE sandbox_sessions
      ADD COLUMN port integer, ADD COLUMN pending boolean NOT NULL DEFAULT false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM sandbox_sessions WHERE pending OR port IS NOT NULL');
    await runner.query('ALTER TABLE sandbox_sessions DROP COLUMN port, DROP COLUMN pending');
    await runner.query('ALTER TABLE sandbox_links DROP COLUMN ports');
  }
}
