import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../config/configuration.js';
import type { LogDestination } from './log-output.js';
import { standardOutput } from './standard-output.js';

/** DI token of the program's one pino `Logger`. */
export const LOGGER = Symbol('LOGGER');

const SECRET_HEADERS = ['authorization', 'x-api-key', 'cookie', 'set-cookie'];

/** Where a header may sit in what is logged: at the top, in `headers`, or in `req.headers` and the like. */
const SECRET_PATHS = SECRET_HEADERS.flatMap((name) => [
  `["${name}"]`,
  `headers["${name}"]`,
  `*.headers["${name}"]`,
]);

/** The destination of a logger that `createLogger` made. */
export function destinationOf(logger: Logger): LogDestination {
  return (logger as Logger & Record<symbol, LogDestination>)[pino.symbols.streamSym] as LogDestination;
}

/** A logger that writes JSON lines to `destination` (stdout by default). Credentials in logged headers are replaced. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  return pino(options, destination ?? standardOutput());
}
