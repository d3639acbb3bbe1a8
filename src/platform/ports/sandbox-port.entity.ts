import { Column, Entity, PrimaryColumn, UpdateDateColumn } from 'typeorm';

/** `private`: only with a credential; `public`: for anyone. */
export const VISIBILITIES = ['private', 'public'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

/** `app`: the app allows origins itself; a list: the proxy does so, for these origins. */
export type CorsSetting = 'app' | readonly string[];

/** How the app sees itself: `local`: as `http://localhost:{port}`; `external`: as the address that its visitors use. */
export const APP_HOSTS = ['local', 'external'] as const;
export type AppHost = (typeof APP_HOSTS)[number];

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

  @Column('text', { name: 'app_host' })
  appHost!: AppHost;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
