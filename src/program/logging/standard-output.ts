import { constants, fstatSync, openSync, write } from 'node:fs';
import { isatty } from 'node:tty';
import { LogOutput } from './log-output.js';

const outputs = new Map<1 | 2, LogOutput>();

/** The one output of this process to stdout (1) or stderr (2). */
export function standardOutput(descriptor: 1 | 2 = 1): LogOutput {
  let output = outputs.get(descriptor);
  if (output === undefined) {
    const writable = unblocked(descriptor);
    output = new LogOutput((bytes, done) => write(writable, bytes, done));
    outputs.set(descriptor, output);
  }
  return output;
}

/**
 * A descriptor of the same place on which no write waits for a reader: a thread of Node's that does could not be
 * ended, and with it the process.
 */
function unblocked(descriptor: 1 | 2): number {
  if (isatty(descriptor)) return terminalOf(descriptor) ?? descriptor;
  const place = fstatSync(descriptor);
  // Node puts a pipe and a socket into that mode when it makes the stream, and back when the process ends
  if (place.isFIFO() || place.isSocket()) void (descriptor === 1 ? process.stdout : process.stderr);
  return descriptor;
}

/** The terminal opened once more: the shell uses the mode of the descriptor that we were given, too. */
function terminalOf(descriptor: number): number | null {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/dev/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null; // a terminal of another user: no write may be done on it but one that waits
  }
}
