import type { Readable } from 'node:stream';
import type { LogOutput } from './log-output.js';

const LINE_BREAK = 0x0a;

/** Passes on what another process writes, in whole lines. If it ends without a line break, one is added. */
export function relayLines(from: Readable | null, output: LogOutput): void {
  let rest: Buffer = Buffer.alloc(0);
  from?.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(LINE_BREAK) + 1;
    if (end > 0) output.writeBytes(Buffer.concat([rest, chunk.subarray(0, end)]));
    rest = end > 0 ? chunk.subarray(end) : Buffer.concat([rest, chunk]);
  });
  from?.once('end', () => {
    if (rest.length > 0) output.write(`${String(rest)}\n`);
  });
}
