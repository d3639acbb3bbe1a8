import { type BeforeApplicationShutdown, Inject, Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { decodeId } from '../identifiers/resource-id.js';

/** DI token of `LastUsedOptions`. */
export const LAST_USED_OPTIONS = Symbol('LAST_USED_OPTIONS');

export interface LastUsedOptions {
  /** Whether `last_used` is written; false on a database that is only read. */
  readonly isRecorded: boolean;
  /** A clock that never goes back, milliseconds, e.g. `performance.now`. */
  readonly clock: () => number;
}

const ONCE_PER_MS = 60_000;
/** How long used keys are collected before they are written together. */
const BATCH_MS = 1_000;
/** Most keys whose last use is remembered. */
const MAX_KEYS = 10_000;

/**
 * Sets `last_used` of these keys, unless this or another process did so within the last minute. SKIP LOCKED, so that two
 * processes that record overlapping lists neither wait for one another nor deadlock.
 */
const RECORD_USE = `
  UPDATE team_api_keys SET last_used = now() WHERE id IN (
    SELECT id FROM team_api_keys
     WHERE id = ANY($1::uuid[]) AND (last_used IS NULL OR last_used < now() - interval '1 minute')
       FOR NO KEY UPDATE SKIP LOCKED)`;

/** Writes `last_used`, at most once a minute per key, in batches, and without delaying any request. */
@Injectable()
export class LastUsedRecorder implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LastUsedRecorder.name);
  private readonly notedAt = new LRUCache<string, number>({ max: MAX_KEYS });
  private readonly pending = new Set<string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LAST_USED_OPTIONS) private readonly options: LastUsedOptions,
  ) {}

  /** Notes that a key was used now. Returns at once and never throws. @param keyId public id, `key-…` */
  note(keyId: string): void {
    if (!this.options.isRecorded) return;
    const now = this.options.clock();
    const notedAt = this.notedAt.get(keyId);
    if (notedAt !== undefined && now - notedAt < ONCE_PER_MS) return;
    this.notedAt.set(keyId, now);
    this.pending.add(keyId);
    this.timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref();
  }

  /** Writes what was noted. If that fails, it is logged and the batch is dropped: nothing depends on `last_used`. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending.size === 0) return;
    // decoding an id takes microseconds: so it is done here, once a minute, and not for every request
    const uuids = [...this.pending].map((id) => decodeId('key', id)).filter((uuid) => uuid !== null);
    this.pending.clear();
    try {
      await this.dataSource.query(RECORD_USE, [uuids]);
    } catch (error) {
      this.logger.warn(`last_used of ${uuids.length} API keys was not recorded: ${String(error)}`);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }
}
