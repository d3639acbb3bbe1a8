import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import { RepeatedLines } from '../../sandbox-proxy/index.js';

/** Contexts in which Nest lists every module and route at each start: of interest only for debugging. */
const CHATTY_CONTEXTS: readonly unknown[] = [
  'RoutesResolver',
  'RouterExplorer',
  'InstanceLoader',
  'NestFactory',
];

/** Messages of different kinds differ in their first characters. */
const MAX_KIND_CHARACTERS = 200;
/** Words that differ from request to request: ids, counts, times. */
const WORDS_WITH_DIGITS = /\S*\d\S*/g;

/**
 * Writes messages for Nest's logger to the program's log. The last text parameter of a message is its context. Of
 * warnings and errors that differ only in words with digits, one line a second is written, with the number of those
 * left out.
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
