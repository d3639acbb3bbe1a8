import { Inject, Injectable, Optional } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { LOGGER } from '../logging/logger.js';

/** How long an answer is remembered, milliseconds: anybody may ask, as often as they like. */
const MEMORY_MS = 1_000;

/** DI token of a clock for `DatabaseCheck`; absent: `performance.now`. */
export const HEALTH_CLOCK = Symbol('HEALTH_CLOCK');

/** Whether the database answers. However many ask, one query is under way at a time, and one a second at most. */
@Injectable()
export class DatabaseCheck {
  private underWay: Promise<boolean> | null = null;
  private lastAnswer = false;
  private answeredAtMs = -Infinity;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
    @Optional() @Inject(HEALTH_CLOCK) private readonly clock: () => number = () => performance.now(),
  ) {}

  async isAnswering(): Promise<boolean> {
    if (this.clock() - this.answeredAtMs < MEMORY_MS) return this.lastAnswer;
    this.underWay ??= this.ask();
    return this.underWay;
  }

  private async ask(): Promise<boolean> {
    try {
      await this.dataSource.query('SELECT 1');
      this.lastAnswer = true;
    } catch (error) {
      this.logger.warn({ reason: String(error) }, 'readiness: the database does not answer');
      this.lastAnswer = false;
    }
    this.answeredAtMs = this.clock();
    this.underWay = null;
    return this.lastAnswer;
  }
}
