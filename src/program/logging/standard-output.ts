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
 * A descriptor of the same file, pipe or terminal on which writes do not block: a thread of Node that is blocked in a write
 * would keep the process from ending.
 */
function unblocked(descriptor: 1 | 2): number {
  if (isatty(descriptor)) return terminalOf(descriptor) ?? descriptor;
  const place = fstatSync(descriptor);
  // Node makes pipes and sockets non-blocking when it creates the stream, and undoes it when the process ends
  if (place.isFIFO() || place.isSocket()) void (descriptor === 1 ? process.stdout : process.stderr);
  return descriptor;
}

/** The terminal, opened once more: making the given descriptor non-blocking would affect the shell too. */
function terminalOf(descriptor: number): number | null {
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/dev/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null; // the terminal of another user, which cannot be opened: writes to it block
  }
}
