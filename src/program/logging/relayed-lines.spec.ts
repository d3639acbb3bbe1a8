import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogOutput } from './log-output.js';
import { relayLines } from './relayed-lines.js';

/** What arrives, write by write, when another process writes these pieces and ends. */
async function relayed(pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const writes: string[] = [];
  const output = new LogOutput((bytes, done) => {
    writes.push(String(bytes));
    done(null, bytes.length);
  });
  const from = new PassThrough();
  relayLines(from, output);
  for (const piece of pieces) from.write(piece);
  from.end();
  await once(from, 'end');
  return writes;
}

describe('the lines of another process', () => {
  it('are passed on whole, however they come', async () => {
    expect(await relayed(['a\nb', 'c', 'd\n', 'e\nf\ng', '\n'])).toEqual(['a\n', 'bcd\n', 'e\nf\n', 'g\n']);
  });

  it('keep the bytes of a character that comes in two pieces', async () => {
    const [first = 0, ...others] = Buffer.from('é\n');
    expect(await relayed([Buffer.of(first), Buffer.from(others)])).toEqual(['é\n']);
  });

  // a worker that was killed in the middle of a write
  it('end with a line break, whatever came last', async () => {
    expect(await relayed(['a\nb'])).toEqual(['a\n', 'b\n']);
    expect(await relayed([])).toEqual([]);
  });
});
