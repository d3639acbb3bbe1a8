import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A preview link: lets whoever has its token into one port of one sandbox until it expires. */
@Entity('sandbox_links')
export class SandboxLink {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'sandbox_id' })
  sandboxId!: string;

  /** The port at which it is opened. */
  @Column('integer')
  port!: number;

  /** All its ports, the first one among them; null: it has no other. */
  @Column('integer', { array: true, nullable: true })
  ports!: number[] | null;

  @Column('text', { nullable: true })
  label!: string | null;

  /** SHA-256 of the token; the token itself is shown once and not stored. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  /** True if only one browser may exchange it. */
  @Column('boolean')
  once!: boolean;

  /** True if the sandbox may be shown in a frame of another site. */
  @Column('boolean')
  embed!: boolean;

  /** Origins besides the sandbox's own whose pages may change things by its sessions, e.g. `https://app.example.com`. */
  @Column('jsonb', { name: 'allowed_origins' })
  allowedOrigins!: string[];

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** How long its sessions last after they were used last; null: they end with the link. */
  @Column('integer', { name: 'renew_seconds', nullable: true })
  renewSeconds!: number | null;

  /** Where `renewSeconds` is set: when its sessions end, however much they are used. */
  @Column('timestamptz', { name: 'renew_until', nullable: true })
  renewUntil!: Date | null;

  /** True if its sessions end when the sandbox stops running, or moves to another host. */
  @Column('boolean', { name: 'end_sessions_on_pause' })
  endSessionsOnPause!: boolean;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  /** When it was first exchanged. */
  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
