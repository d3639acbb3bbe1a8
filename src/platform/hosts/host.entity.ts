import { Column, CreateDateColumn, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

export const HOST_STATUSES = ['pending', 'online', 'unreachable', 'offline'] as const;
export type HostStatus = (typeof HOST_STATUSES)[number];

/** A machine that runs sandboxes. `address` is where its agent listens; `''` while that is not known. */
@Entity('hosts')
export class Host {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  type!: string;

  /** `ip:port`, `name:port` or a full `http(s)://` URL. */
  @Column('text', { default: '' })
  address!: string;

  @Column('text', { default: 'pending' })
  status!: HostStatus;

  @Column('timestamptz', { name: 'last_heartbeat_at', nullable: true })
  lastHeartbeatAt!: Date | null;

  @Column('jsonb', { default: {} })
  metadata!: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
