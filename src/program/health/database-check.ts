import { Inject, Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { reasonOf } from '../../platform/errors/reason-of.js';
import { LOGGER } from '../logging/logger.js';

/** How long an answer is remembered, milliseconds: anybody may ask, as often as they like. */
const MEMORY_MS = 1_000;

/** Whether the database answers. However many ask, one query is under way at a time, and one a second at most. */
@Injectable()
export class DatabaseCheck {
  private underWay: Promise<boolean> | null = null;
  private lastAnswer = false;
  private askedAtMs = -Infinity;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param nowMs of a clock that never goes back */
  async isAnswering(nowMs = performance.now()): Promise<boolean> {
    if (this.underWay !== null) return this.underWay;
    if (nowMs - this.askedAtMs < MEMORY_MS) return this.lastAnswer;
    this.askedAtMs = nowMs;
    this.underWay = this.ask();
    return this.underWay;
  }

  private async ask(): Promise<boolean> {
    try {
      await this.dataSource.query('SELECT 1');
      this.lastAnswer = true;
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'readiness: the database does not answer');
      this.lastAnswer = false;
    }
    this.underWay = null;
    return this.lastAnswer;
  }
}
