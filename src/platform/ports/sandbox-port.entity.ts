import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** `private`: only with a credential; `public`: for anyone. */
export const VISIBILITIES = ['private', 'public'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** `app`: the app allows origins itself; a list: the proxy does so, for these origins. */
export type CorsSetting = 'app' | readonly string[];

/** The settings of one port of one sandbox; a port without a row is private and leaves CORS to the app. */
@Entity('sandbox_ports')
export class SandboxPort {
  @PrimaryColumn('uuid', { name: 'sandbox_id' })
  sandboxId!: string;

  @PrimaryColumn('integer')
  port!: number;

  @Column('text')
  visibility!: Visibility;

  @Column('jsonb')
  cors!: CorsSetting;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
