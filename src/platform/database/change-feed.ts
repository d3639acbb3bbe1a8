/**
 * A committed change that a cache may have to forget. Ids are UUIDs as in the tables.
 * `team_id` of a moved row appears twice: once for the old owner, once for the new.
 */
export type Change =
  | { readonly table: 'sandboxes'; readonly id: string; readonly teamId: string }
  | { readonly table: 'hosts'; readonly id: string }
  | {
      readonly table: 'team_api_keys';
      readonly id: string;
      readonly teamId: string;
      readonly keyHash: string;
    }
  | { readonly table: 'teams'; readonly id: string }
  | { readonly table: 'sandbox_links'; readonly id: string; readonly sandboxId: string }
  | { readonly table: 'sandbox_ports'; readonly sandboxId: string; readonly port: number };

/** What a listener is told: one change, or that changes may have been missed and nothing cached can be trusted. */
export type FeedEvent = Change | { readonly table: '*' };

/** `live`: every change arrives; `down`: the channel is broken; `absent`: the database has no triggers to feed it. */
export type FeedState = 'live' | 'down' | 'absent';

/**
 * Changes as the database commits them, pushed to whoever caches.
 * Abstract class as type and DI token: a test or another database can supply its own.
 */
export abstract class ChangeFeed {
  /** True while every committed change reaches the listeners; false while the channel is down or the triggers are absent. */
  abstract readonly isLive: boolean;
  /** Calls `listener` for each event until the returned function is called. A listener must not throw. */
  abstract subscribe(listener: (event: FeedEvent) => void): () => void;
  /** `isLive` with the reason where it is false; for people and for `/readyz`. */
  get state(): FeedState {
    return this.isLive ? 'live' : 'down';
  }
}

/** How long a cached entry may be trusted while `isLive` is false, in milliseconds. */
export const TTL_WITHOUT_FEED_MS = 5_000;
