import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { Host } from '../hosts/host.entity.js';
import { Team } from '../teams/team.entity.js';

export const SANDBOX_STATUSES = [
  'pending',
  'starting',
  'running',
  'paused',
  'hibernated',
  'stopped',
  'missing',
  'error',
] as const;
export type SandboxStatus = (typeof SANDBOX_STATUSES)[number];

/** One microVM of a team on a host. Only `running` is reachable through the proxy. */
@Entity('sandboxes')
export class Sandbox {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'team_id' })
  teamId!: string;

  @ManyToOne(() => Team)
  @JoinColumn({ name: 'team_id' })
  team?: Relation<Team>;

  @Column('uuid', { name: 'host_id', nullable: true })
  hostId!: string | null;

  /** Joined without a foreign key: the platform's own schema has none here. */
  @ManyToOne(() => Host, { createForeignKeyConstraints: false })
  @JoinColumn({ name: 'host_id' })
  host?: Relation<Host> | null;

  @Column('text')
  template!: string;

  @Column('text')
  status!: SandboxStatus;

  @Column('jsonb', { default: {} })
  metadata!: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  @Column('timestamptz', { name: 'last_active_at', nullable: true })
  lastActiveAt!: Date | null;

  @UpdateDateColumn({ name: 'last_updated', type: 'timestamptz' })
  lastUpdatedAt!: Date;
}
