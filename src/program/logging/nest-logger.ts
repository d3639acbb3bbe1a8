import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { RepeatedLines } from './repeated-lines.js';

/** Nest's list of every route it maps, at each start: of interest to who debugs. */
const CHATTY_CONTEXTS: readonly unknown[] = [
  'RoutesResolver',
  'RouterExplorer',
  'InstanceLoader',
  'NestFactory',
];

/** What tells one kind of message from another stands in its first characters. */
const MAX_KIND_CHARACTERS = 200;
/** Differs from request to request: ids, counts, times. */
const WORDS_WITH_DIGITS = /\S*\d\S*/g;

/**
 * What is said to Nest's logger as lines of the program's log; a message's last text parameter is its context. Warnings and
 * errors that say the same but for words with digits in them are one line a second, with the number of those left out.
 */
export class NestLogger implements LoggerService {
  private readonly repeated = new RepeatedLines();

  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...parameters: unknown[]): void {
    this.write(CHATTY_CONTEXTS.includes(parameters.at(-1)) ? 'debug' : 'info', message, parameters);
  }

  warn(message: unknown, ...parameters: unknown[]): void {
    this.writeOnce('warn', message, parameters);
  }

  error(message: unknown, ...parameters: unknown[]): void {
    this.writeOnce('error', message, parameters);
  }

  debug(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }

  verbose(message: unknown, ...parameters: unknown[]): void {
    this.write('trace', message, parameters);
  }

  fatal(message: unknown, ...parameters: unknown[]): void {
    this.write('fatal', message, parameters);
  }

  private writeOnce(level: 'warn' | 'error', message: unknown, rest: unknown[]): void {
    const said = String(message).slice(0, MAX_KIND_CHARACTERS).replace(WORDS_WITH_DIGITS, '');
    const suppressed = this.repeated.pass(`${level} ${String(rest.at(-1))} ${said}`);
    if (suppressed !== null) this.write(level, message, rest, suppressed);
  }

  private write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: unknown[],
    suppressed = 0,
  ): void {
    const context = rest.at(-1);
    const fields = {
      ...(typeof context === 'string' ? { context } : {}),
      ...(rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {}),
      ...(suppressed > 0 ? { suppressed } : {}),
    };
    if (message instanceof Error) this.logger[level]({ ...fields, err: message }, message.message);
    else this.logger[level](fields, typeof message === 'string' ? message : JSON.stringify(message));
  }
}
