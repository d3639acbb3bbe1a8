import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { LOGGER } from '../../program/logging/logger.js';
import { API_KEY_OPTIONS, type ApiKeyOptions } from './api-key.options.js';
import { ApiKeyRepository } from './api-key.repository.js';

const ONCE_PER_MS = 60_000;
/** How long used keys are collected before they are written together. */
const BATCH_MS = 1_000;

/** Writes `last_used`, at most once a minute per key, in batches and never on a request's way. */
@Injectable()
export class LastUsedRecorder implements BeforeApplicationShutdown {
  readonly #notedAt: LRUCache<string, number>;
  readonly #pending = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: ApiKeyRepository,
    @Inject(API_KEY_OPTIONS) private readonly options: ApiKeyOptions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#notedAt = new LRUCache({ max: options.cacheMax });
  }

  /** Notes that a key was used now. Returns at once and never throws. */
  note(keyId: string): void {
    if (!this.options.recordLastUsed) return;
    const now = this.options.clock();
    const notedAt = this.#notedAt.get(keyId);
    if (notedAt !== undefined && now - notedAt < ONCE_PER_MS) return;
    this.#notedAt.set(keyId, now);
    this.#pending.add(keyId);
    this.#timer ??= setTimeout(() => void this.flush(), BATCH_MS).unref();
  }

  /** Writes what was noted. A failure is logged and the batch given up: `last_used` is a courtesy. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    const keyIds = [...this.#pending];
    this.#pending.clear();
    try {
      await this.repository.recordUse(keyIds);
    } catch (error) {
      this.logger.warn({ err: error, keys: keyIds.length }, 'last_used of API keys was not recorded');
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.flush();
  }
}
