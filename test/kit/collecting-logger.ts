import { Logger, type LoggerService } from '@nestjs/common';
import { afterEach, beforeEach } from 'vitest';

/** Keeps what was logged: `warn: change feed is down`. */
export class CollectingLogger implements LoggerService {
  readonly lines: string[] = [];

  log(message: unknown): void {
    this.lines.push(`log: ${String(message)}`);
  }

  warn(message: unknown): void {
    this.lines.push(`warn: ${String(message)}`);
  }

  error(message: unknown): void {
    this.lines.push(`error: ${String(message)}`);
  }
}

/** What Nest's logger is told during each test of a file or block, instead of what it would print. */
export function collectNestLog(): CollectingLogger {
  const collected = new CollectingLogger();
  beforeEach(() => {
    collected.lines.length = 0;
    Logger.overrideLogger(collected);
  });
  afterEach(() => Logger.overrideLogger(new Logger()));
  return collected;
}
