import cluster from 'node:cluster';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from '../config/configuration.js';

/** DI token of the program's one pino `Logger`. */
export const LOGGER = Symbol('LOGGER');

const SECRET_HEADERS = ['authorization', 'x-api-key', 'cookie', 'set-cookie'];

/** Where a header may sit in what is logged: at the top, in `headers`, or in `req.headers` and the like. */
const SECRET_PATHS = SECRET_HEADERS.flatMap((name) => [
  `["${name}"]`,
  `headers["${name}"]`,
  `*.headers["${name}"]`,
]);

/**
 * The most that may be written at once, in bytes. Workers share one stdout, and where that is a pipe which is read
 * slowly, Linux keeps no more than this in one piece (PIPE_BUF, pipe(7)): beyond it they tear each other's lines.
 */
export function largestWrite(): number {
  return cluster.isWorker ? 4_096 : 65_536;
}

/** Where lines go: pino's as text, and those that come in batches as bytes. */
export interface LogDestination extends DestinationStream {
  /** Takes whole lines; the buffer is the destination's from then on. */
  writeBytes(lines: Buffer): void;
}

/** Stdout, in pieces of `largestWrite()`. */
function standardOutput(): LogDestination {
  const stream = pino.destination({ maxWrite: largestWrite(), contentMode: 'buffer' });
  const writeBytes = stream.write.bind(stream) as unknown as (lines: Buffer) => void;
  return Object.assign(stream, { writeBytes, write: (line: string) => writeBytes(Buffer.from(line)) });
}

/** The destination that a logger was made with. */
export function destinationOf(logger: Logger): DestinationStream & Partial<LogDestination> {
  return (logger as Logger & Record<symbol, DestinationStream>)[pino.symbols.streamSym] as DestinationStream;
}

/** JSON lines to `destination` (stdout by default); credentials are replaced wherever headers are logged. */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: SECRET_PATHS, censor: '[redacted]' },
  };
  return pino(options, destination ?? standardOutput());
}
