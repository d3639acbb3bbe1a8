import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The four tables; on a database of the platform, which has them already, nothing is changed. */
export class CreateTables1767225600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE IF NOT EXISTS teams (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL,
        slug text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      )`);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS team_api_keys (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        team_id uuid NOT NULL REFERENCES teams (id),
        name text NOT NULL,
        key_hash text NOT NULL UNIQUE,
        key_prefix text NOT NULL,
        created_by uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used timestamptz
      )`);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS hosts (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        type text NOT NULL,
        address text NOT NULL DEFAULT '',
        status text NOT NULL DEFAULT 'pending',
        last_heartbeat_at timestamptz,
        metadata jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE IF NOT EXISTS sandboxes (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        team_id uuid NOT NULL REFERENCES teams (id),
        host_id uuid,
        template text NOT NULL,
        status text NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        last_active_at timestamptz,
        last_updated timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query('CREATE INDEX IF NOT EXISTS team_api_keys_team_id_idx ON team_api_keys (team_id)');
    await runner.query('CREATE INDEX IF NOT EXISTS sandboxes_team_id_idx ON sandboxes (team_id)');
    await runner.query('CREATE INDEX IF NOT EXISTS sandboxes_host_id_idx ON sandboxes (host_id)');
  }

  /** Refused: the tables may have been there, with their rows, before `up`. */
  async down(): Promise<void> {
    throw new Error(
      'the first migration cannot be reverted: the tables may not be its own; drop them by hand',
    );
  }
}
